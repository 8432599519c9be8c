from a_module_that_nobody_has import something


def handler(event, context):
    return something
