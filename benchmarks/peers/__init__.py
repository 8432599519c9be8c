"""What others offer for the same job, run beside emberd in the same minutes.

* runtime_interface_emulator   AWS's emulator of Lambda, with AWS's own Python runtime client
* workerd                      Cloudflare's runtime of workers in JavaScript
* npm                          what npm installs of such programs
* bubblewrap                   bwrap with all of its namespaces
"""
