"""What may enter Headrace: limits and checks, the same at every door.

pydantic models, so that OpenAPI is generated from the same lines that check.
"""
