"""Who calls, and what they may do.

* keyring    keys for one purpose each, made from the data key; sealing of small secrets
* sessions   temporary credentials of roles, which need no store
"""
