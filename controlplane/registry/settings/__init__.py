"""What hangs on a function beside code and configuration, by Lambda's rules and in its words.

* registry      everything that can be set, one attribute per concern
* access        how every concern reads and changes one function
* tags          TagResource, UntagResource, ListTags
* policies      resource policies; AddPermission and its kin
* permissions   what AddPermission makes of its parameters, and what a policy may be. Pure
* reservations  reserved concurrency
* provisioned   provisioned concurrency: what is wanted, and how far it has come
* concurrency   how an account's concurrency is divided among its functions. Pure
* urls          function URLs
* event_invokes how asynchronous invocations are retried, and where they end
* behaviour     runtime management and recursion
* code_signing  code-signing configurations, and which function has which
* index         all settings in memory by what others look up: function URLs, policies, claims
* documents     settings as stored records and back
* code_signing_index   the configurations in memory and as stored records
"""
