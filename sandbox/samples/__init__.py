"""Small models that come with the sandbox, trained when it is first started and packaged as SageMaker expects."""
