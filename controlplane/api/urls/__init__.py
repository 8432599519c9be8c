"""Function URLs: HTTP requests in, events of payload format 2.0 to a function, HTTP answers out.

* addresses  which function URL a request is for (pure)
* events     a request as an event (pure)
* answers    what a function returned as an HTTP answer (pure)
* preludes   the head that a streamed answer begins with (pure)
* cors       what browsers of other origins are told (pure)
* refusals   what a caller gets instead of an answer (pure)
* replies    answers on their way out, whole or while they are written
* front      from a request on the port to its answer
"""
