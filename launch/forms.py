"""The forms that texts of a launch file may have: a pattern, and the words that a message uses for it.

Names and limits are those of the AWS APIs (SageMaker, CloudFormation, S3, EC2, KMS), botocore 1.44.5.
"""

import re

Form = tuple[re.Pattern[str], str]


def _form(pattern: str, words: str) -> Form:
    return re.compile(pattern), words


# Account and Region of the launch may stand in a bucket's name.
_BUCKET = r"s3://(?:[a-z0-9.-]|\{(?:account|region)\}){3,}"

NAME = _form(
    r"(?!.{64})[a-zA-Z](?:-?[a-zA-Z0-9]){0,62}",
    "a name of 1 to 63 letters, digits and single hyphens that starts with a letter",
)
# Other partitions (China, GovCloud, isolated ones) have other ARNs, and no prices in the public offer files.
REGION = _form(
    r"(?!cn-)[a-z]{2}-[a-z]+-\d",
    'a Region of the partition aws like "eu-west-1", not of China, GovCloud or an isolated partition',
)
SOURCE = _form(r"\S(?:.{0,1022}\S)?", '"sample:NAME", an S3 URI, or a local folder or model.tar.gz')
CONTAINER_NAME = _form(r"(?!.{64})[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,62}", "1 to 63 letters, digits and single hyphens")
VARIANT_NAME = CONTAINER_NAME
INSTANCE_TYPE = _form(r"ml(?:\.[a-z0-9-]+){2}", 'an instance type like "ml.m5.large"')
VERSION = _form(r"\d[\w.-]{0,30}", 'a version like "1.2-1" (in quotes)')
IMAGE = _form(r"\S{1,255}", "the URI of an image in ECR")
# Roles name what they may read and write by these, where *, ? and $ would stand for more.
S3_URI = _form(_BUCKET + r"(?:/[^*?$\x00-\x1f\x7f]*)?", 'an S3 URI like "s3://bucket/prefix/" without *, ? and $')
KMS_KEY = _form(
    r"arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]{1,200}",
    'the ARN of a KMS key like "arn:aws:kms:eu-west-1:111122223333:key/..."',
)
SUBNET = _form(r"subnet-[0-9a-f]{8,17}", 'a subnet like "subnet-0123456789abcdef0"')
SECURITY_GROUP = _form(r"sg-[0-9a-f]{8,17}", 'a security group like "sg-0123456789abcdef0"')
EMAIL = _form(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}", "an email address")
CONTENT_TYPE = _form(r"[\w.+-]+/[\w.+-]+(?:;.*)?", 'a media type like "text/csv"')
SCHEDULE = _form(
    r"rate\(\d+ (?:minute|hour|day)s?\)|cron\(\S+ \S+ \S+ \S+ \S+ \S+\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)",
    'an expression of EventBridge Scheduler like "cron(30 2 * * ? *)" or "rate(1 day)"',
)
# A tag may not begin with aws: or hostfit:, which are given by AWS and by the launch itself.
TAG_KEY = re.compile(r"(?!(?i:aws|hostfit):)[\w .:/=+@-]{1,128}")
TAG_VALUE = re.compile(r"[\w .:/=+@-]{1,256}")
ENVIRONMENT_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}")
ENVIRONMENT_VALUE = re.compile(r"[\S\s]{0,1024}")
