"""A chalice application with one plain function, as its documentation begins."""

from chalice import Chalice

app = Chalice(app_name="compat")


@app.lambda_function(name="greet")
def greet(event, context):
    return {"said": f"hello {event['name']}"}
