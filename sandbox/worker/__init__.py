"""A model server with SageMaker's container contract: /ping, /invocations, and /models for several models."""
