"""What can be on a bill: the key of each priced item, its unit and its name for a reader.

A key is a path: `hosting/ml.c5.xlarge`, `serverless/duration/2048`, `s3/put`. The number in the unit
"1M requests" or "1k requests" is part of the unit: two million requests are a quantity of 2.
"""

from types import MappingProxyType

COMPONENTS = MappingProxyType(
    {
        "hosting": "Real-time hosting",
        "async": "Asynchronous hosting",
        "batch_transform": "Batch transform",
        "processing": "Processing",
        "training": "Training",
        "notebook": "Notebook",
    }
)
"""The ways to rent an instance, in the order in which one stands in for another's price."""

ACCEPTED_AS = MappingProxyType(
    {
        "hosting": "hosting",
        "async": "hosting",
        "batch_transform": "transform",
        "processing": "processing",
        "training": "training",
    }
)
"""Which list of the service model tells whether a component takes an instance type."""

HOURS_PER_MONTH = 730  # a GB-month is 730 GB-hours (docs/prices.md#storage)

SERVERLESS_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)
# SageMaker API reference, MemorySizeInMB of ServerlessConfig: 1 GB steps from 1024 to 6144.

_BY_MEMORY = MappingProxyType(
    {
        "serverless/duration": "Serverless inference duration",
        "provisioned_concurrency/usage": "Provisioned concurrency",
        "provisioned_concurrency/duration": "Provisioned concurrency inference duration",
    }
)

_SINGLE = MappingProxyType(
    {
        "serverless/data_in": ("GB", "Serverless data processed in"),
        "serverless/data_out": ("GB", "Serverless data processed out"),
        "storage/hosting": ("GB-months", "Storage of endpoints"),
        "storage/training": ("GB-months", "Storage of training jobs"),
        "storage/processing": ("GB-months", "Storage of processing jobs"),
        "storage/notebook": ("GB-months", "Storage of notebooks"),
        "data_in": ("GB", "Data processed in by endpoints"),
        "data_out": ("GB", "Data processed out by endpoints"),
        "s3/storage": ("GB-months", "S3 storage"),
        "s3/put": ("1k requests", "S3 requests: PUT, COPY, POST, LIST"),
        "s3/get": ("1k requests", "S3 requests: GET and others"),
        "athena/scan": ("TB", "Athena data scanned"),
        "lambda/requests": ("1M requests", "Lambda requests"),
        "lambda/duration": ("GB-seconds", "Lambda duration"),
        "lambda/duration/tier2": ("GB-seconds", "Lambda duration, over 6 billion"),
        "lambda/duration/tier3": ("GB-seconds", "Lambda duration, over 15 billion"),
        "lambda/duration_arm64": ("GB-seconds", "Lambda duration (arm64)"),
        "lambda/duration_arm64/tier2": ("GB-seconds", "Lambda duration (arm64), over 7.5 billion"),
        "lambda/ephemeral_storage": ("GB-seconds", "Lambda storage above 512 MB"),
        "api_gateway/rest_requests": ("1M requests", "API Gateway REST requests"),
        "api_gateway/rest_requests/tier2": ("1M requests", "API Gateway REST requests, over 333 M"),
        "api_gateway/http_requests": ("1M requests", "API Gateway HTTP requests"),
        "api_gateway/http_requests/tier2": ("1M requests", "API Gateway HTTP requests, over 300 M"),
        "api_gateway/websocket_messages": ("1M messages", "API Gateway WebSocket messages"),
        "api_gateway/websocket_minutes": ("1M minutes", "API Gateway WebSocket connections"),
        "step_functions/transitions": ("1k transitions", "Step Functions transitions"),
        "step_functions/express_requests": ("1M requests", "Step Functions express requests"),
        "step_functions/express_duration": ("GB-hours", "Step Functions express duration"),
        "sns/requests": ("1M requests", "SNS requests"),
        "sns/http_notifications": ("100k notifications", "SNS notifications by HTTP"),
        "sns/email_notifications": ("100k notifications", "SNS notifications by email"),
        "sqs/requests": ("1M requests", "SQS requests"),
        "sqs/fifo_requests": ("1M requests", "SQS requests to FIFO queues"),
        "eventbridge/events": ("1M events", "EventBridge events"),
        "glue/spark": ("DPU-hours", "Glue Spark jobs"),
        "glue/python_shell": ("hours", "Glue Python shell jobs"),
        "cloudwatch/metric": ("metric-months", "CloudWatch custom metrics"),
        "cloudwatch/metric/tier2": ("metric-months", "CloudWatch custom metrics, over 10,000"),
        "cloudwatch/alarm": ("metric-months", "CloudWatch alarms"),
        "cloudwatch/high_resolution_alarm": ("metric-months", "CloudWatch high-resolution alarms"),
        "cloudwatch/dashboard": ("dashboard-months", "CloudWatch dashboards"),
        "cloudwatch/get_metric_data": ("1k metrics", "CloudWatch GetMetricData"),
        "cloudwatch/logs_ingested": ("GB", "CloudWatch logs ingested"),
        "cloudwatch/logs_stored": ("GB-months", "CloudWatch logs stored"),
        "cloudwatch/logs_scanned": ("GB", "CloudWatch logs scanned"),
        "s3/storage/tier2": ("GB-months", "S3 storage, over 50 TB"),
        "azure_functions/consumption/duration": (
            "GB-seconds",
            "Azure Functions (Consumption) execution time",
        ),
        "azure_functions/consumption/executions": (
            "1M executions",
            "Azure Functions (Consumption) executions",
        ),
        "azure_functions/flex/duration": (
            "GB-seconds",
            "Azure Functions (Flex Consumption) execution time",
        ),
        "azure_functions/flex/executions": (
            "1M executions",
            "Azure Functions (Flex Consumption) executions",
        ),
        "azure_functions/flex/always_ready_baseline": (
            "GB-seconds",
            "Azure Functions (Flex Consumption) always-ready baseline",
        ),
        "azure_functions/flex/always_ready_duration": (
            "GB-seconds",
            "Azure Functions (Flex Consumption) always-ready execution time",
        ),
        "azure_functions/premium/vcpu": ("vCPU-months", "Azure Functions (Premium) vCPU"),
        "azure_functions/premium/memory": ("GB-months", "Azure Functions (Premium) memory"),
        "azure_blob/storage": ("GB-months", "Azure Blob storage"),
        "azure_blob/write": ("10k operations", "Azure Blob write operations"),
        "azure_blob/read": ("10k operations", "Azure Blob read operations"),
    }
)


def unit_of(item: str) -> str:
    """The unit of an item's quantity and price.

    Raises: KeyError if no such item can be priced.

    >>> unit_of("hosting/ml.c5.xlarge"), unit_of("serverless/duration/2048"), unit_of("s3/put")
    ('hours', 'seconds', '1k requests')
    """
    return _described(item)[0]


def title_of(item: str) -> str:
    """The name of an item for a reader of a bill.

    Raises: KeyError if no such item can be priced.

    >>> title_of("hosting/ml.c5.xlarge")
    'Real-time hosting instance hours (ml.c5.xlarge)'
    """
    return _described(item)[1]


def _described(item: str) -> tuple[str, str]:
    single = _SINGLE.get(item)
    if single is not None:
        return single
    kind, _, last = item.rpartition("/")
    if kind in COMPONENTS:
        return "hours", f"{COMPONENTS[kind]} instance hours ({last})"
    if kind in _BY_MEMORY and last.isdecimal():
        return "seconds", f"{_BY_MEMORY[kind]} ({last} MB)"
    raise KeyError(item)
