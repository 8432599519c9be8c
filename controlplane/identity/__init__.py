"""Who calls, and what they may do.

* request         an HTTP request as a signature sees it
* sigv4           pure: AWS Signature Version 4, the checking side
* claims          pure: what a request says about who signed it
* authentication  from a signed request to the principal that it proves
* no_auth         what --no-auth opens, and what it does not
* callers         whom an access key stands for
* parts           all that knows callers, put together
* access_keys     keys that operators make; sealed in the store
* sessions        temporary credentials of roles, which need no store
* execution       credentials that running functions get
* roles           roles and their policies; policies, those that roles share
* managed         AWS's own policies, as far as they mean something here
* names           names, ids and errors of roles and policies
* records         small documents of one kind, all in memory
* keyring         keys for one purpose each, made from the data key; sealing of small secrets
* document        pure: IAM policy documents, read once; conditions, their operators
* patterns        pure: wildcards and variables of policies
* policy          pure: may this caller do this?
"""
