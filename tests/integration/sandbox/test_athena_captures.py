"""What a real endpoint captured is queried as the app does it: by projected partitions, through PyAthena."""

import json

from tests.lake import rows
from tests.sandboxed import until

FLOWERS = ("5.1,3.5,1.4,0.2", "7.0,3.2,4.7,1.4", "6.3,3.3,6.0,2.5")
_TEXT = "observedcontenttype:string,mode:string,data:string,encoding:string"
_PROJECTED = {
    "projection.enabled": "true",
    "projection.hour.type": "date",
    "projection.hour.range": "NOW-2HOURS,NOW+1HOURS",
    "projection.hour.format": "yyyy/MM/dd/HH",
    "projection.hour.interval": "1",
    "projection.hour.interval.unit": "HOURS",
}


def test_captured_requests_of_an_endpoint_are_queried(hosting, s3, cursor):
    s3.create_bucket(Bucket="captures")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captures/flowers",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
    model = hosting.model(hosting.container("iris/model.tar.gz"))
    endpoint = hosting.endpoint(hosting.config(model, DataCaptureConfig=capture))
    asked = {}
    for number in range(30):
        flower = FLOWERS[number % 3]
        answer = hosting.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=flower, ContentType="text/csv", InferenceId=f"flower-{number}"
        )
        asked[f"flower-{number}"] = (flower, answer["Body"].read().decode())
    place = f"s3://captures/flowers/{endpoint}/AllTraffic/"
    projected = {**_PROJECTED, "storage.location.template": f"{place}${{hour}}"}
    properties = ", ".join(f"'{key}'='{value}'" for key, value in projected.items())
    cursor.execute(
        f"CREATE EXTERNAL TABLE flowers (capturedata struct<endpointinput:struct<{_TEXT}>,"
        f"endpointoutput:struct<{_TEXT}>>, eventmetadata struct<eventid:string,inferenceid:string,"
        "inferencetime:string>, eventversion string) PARTITIONED BY (hour string) "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '{place}' "
        f"TBLPROPERTIES ({properties})"
    )
    until(lambda: rows(cursor, "SELECT count(*) FROM flowers") == [(len(asked),)])
    found = rows(
        cursor,
        "SELECT eventmetadata.inferenceid, capturedata.endpointinput.data, capturedata.endpointoutput.data FROM flowers "
        "WHERE hour >= date_format(current_timestamp - interval '1' hour, '%Y/%m/%d/%H')",
    )
    assert {name: (question, answer.strip()) for name, question, answer in found} == {
        name: (question, answer.strip()) for name, (question, answer) in asked.items()
    }
    counted = "SELECT capturedata.endpointoutput.data, count(*) FROM flowers GROUP BY 1"
    per_answer = {json.loads(answer)[0]: count for answer, count in rows(cursor, counted)}
    assert sum(per_answer.values()) == len(asked)
    assert len(per_answer) == len({answer for _, answer in asked.values()})
    hosting.gone(endpoint)
