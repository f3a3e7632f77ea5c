"""Launch a hosting option: a request becomes a plan with its price, a CloudFormation template and a stack."""
