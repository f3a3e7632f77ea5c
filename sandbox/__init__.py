"""AWS on loopback, for a machine without an account.

Real clients (boto3, the AWS CLI, PyAthena, the SageMaker SDK) talk to it over HTTP, chosen by nothing but
`AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME`. It imports nothing of the rest of the project.
"""
