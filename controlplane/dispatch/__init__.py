"""Drives the scheduler: events in, its commands carried out, one definite end per invocation.

* ports       what dispatch needs of a host's stream
* dispatcher  the driver
* running     one invocation meanwhile, and the answer that its caller may read as it comes
* transfers   what travels beside the frames: events, and answers in pieces
* provisioning  sandboxes that stand ready: asked of the hosts, and how far they have come
* snapshots     inits that a host runs once, before a version with SnapStart is Active
* restores      what a caller is told whose sandbox could not be restored from one. Pure
* sharing     how those are shared out among the hosts. Pure
* records     what telemetry is told of an invocation
* payloads    what is refused before anything runs
* jackson     what AWS says of bytes that are no JSON
"""
