"""Who calls, and what they may do.

* request    an HTTP request as a signature sees it
* sigv4      pure: AWS Signature Version 4, the checking side
* claims     pure: what a request says about who signed it
* authentication  from a signed request to the principal that it proves
* keyring    keys for one purpose each, made from the data key; sealing of small secrets
* sessions   temporary credentials of roles, which need no store
* execution  those that running functions get
"""
