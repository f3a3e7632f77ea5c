"""Batch transform: jobs that read S3, ask a model server of their own and write S3."""

import gzip
import json
import logging
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from sandbox.errors import AwsError
from sandbox.services.sagemaker.components import Components
from sandbox.services.sagemaker.deployments import Failed, RuntimeGone
from sandbox.services.sagemaker.fleets import NotRunnable, fleet_plan
from sandbox.services.sagemaker.records import BadRecord, Selection, batches, filtered, joined, split
from sandbox.services.sagemaker.resources import MODEL, TRANSFORM, listed, page, pick
from sandbox.services.sagemaker.store import Document, now
from sandbox.services.service import Answer, Context, Params

LOG = logging.getLogger(__name__)

_DEFAULT_PAYLOAD_MB = 6  # API reference, CreateTransformJob
_DEFAULT_TIMEOUT_S = 600  # API reference, ModelClientConfig
_DEFAULT_CONTENT_TYPE = "application/octet-stream"
_PAUSE_S = 0.5
_SUMMARY = (
    "TransformJobName", "CreationTime", "TransformEndTime", "LastModifiedTime", "TransformJobStatus", "FailureReason",
)  # fmt: skip


class Stopped(Exception):
    """Somebody has stopped the job."""


class Transforms(Components):
    """CreateTransformJob and its kin."""

    def create_transform_job(self, context: Context, params: Params) -> Answer:
        """Start a job."""
        name, region = params["TransformJobName"], context.region
        self.get(region, MODEL, params["ModelName"])
        tags = params.pop("Tags", [])
        arn = self.arn(region, TRANSFORM, name)
        created = now()
        document = {**params, "TransformJobStatus": "InProgress", "CreationTime": created, "LastModifiedTime": created}
        if not self.store.add(region, TRANSFORM, name, document):
            message = (
                "Job name must be unique within an AWS account and region, and a job with this name already exists "
                f"({arn})"
            )
            raise AwsError("ResourceInUse", message)
        self.store.tag(arn, {tag["Key"]: tag["Value"] for tag in tags})
        self.cloud.background(self._run, region, name)
        return {"TransformJobArn": arn}

    def describe_transform_job(self, context: Context, params: Params) -> Answer:
        """Describe a job."""
        name = params["TransformJobName"]
        return {**self._job(context.region, name), "TransformJobArn": self.arn(context.region, TRANSFORM, name)}

    def list_transform_jobs(self, context: Context, params: Params) -> Answer:
        """List jobs."""
        found, token = page(
            self.store.listing(context.region, TRANSFORM), params, name="TransformJobName", status="TransformJobStatus"
        )
        summaries = [
            {**pick(job, _SUMMARY), "TransformJobArn": self.arn(context.region, TRANSFORM, job["TransformJobName"])}
            for job in found
        ]
        return listed("TransformJobSummaries", summaries, token)

    def stop_transform_job(self, context: Context, params: Params) -> None:
        """Stop a job that runs."""
        name = params["TransformJobName"]
        status = self._job(context.region, name)["TransformJobStatus"]
        if status not in {"InProgress", "Stopping"}:
            message = f"The request was rejected because the transform job is in status {status}."
            raise AwsError("ValidationException", message)
        self._settle(context.region, name, "Stopping")

    def resume(self) -> None:
        """Run jobs again that were under way."""
        super().resume()
        for region, job in self.store.everywhere(TRANSFORM):
            if job["TransformJobStatus"] == "InProgress":
                self.cloud.background(self._run, region, job["TransformJobName"])
            elif job["TransformJobStatus"] == "Stopping":
                self._settle(region, job["TransformJobName"], "Stopped")

    def _job(self, region: str, name: str) -> Document:
        job = self.store.get(region, TRANSFORM, name)
        if job is None:
            raise AwsError("ValidationException", f"Could not find requested job with name: {name}")
        return job

    def _settle(self, region: str, name: str, status: str, **members: Any) -> None:
        def change(job: Document) -> None:
            job.update(members, TransformJobStatus=status)

        self.store.change(region, TRANSFORM, name, change)

    def _run(self, region: str, name: str) -> None:
        self._settle(region, name, "InProgress", TransformStartTime=now())
        while not self._ran(region, name):
            LOG.info("the transform job %s begins again: the runtime ended in the middle", name)
            time.sleep(_PAUSE_S)

    def _ran(self, region: str, name: str) -> bool:
        """Run a job to its end; False if the runtime ended in the middle."""
        job = self._job(region, name)
        fleet = ""
        try:
            fleet = self.start_fleet(self._plan(region, job))
            _Run(self, region, job, fleet).all()
        except RuntimeGone:
            return False
        except Stopped:
            self._settle(region, name, "Stopped", TransformEndTime=now())
        except (Failed, NotRunnable, BadRecord) as err:
            self._settle(region, name, "Failed", FailureReason=str(err), TransformEndTime=now())
        except ClientError as err:
            reason = f"ClientError: {err.response['Error']['Message']}"
            self._settle(region, name, "Failed", FailureReason=reason, TransformEndTime=now())
        else:
            self._settle(region, name, "Completed", TransformEndTime=now())
        finally:
            if fleet:
                self.stop_fleet(fleet)
        return True

    def _plan(self, region: str, job: Document) -> dict[str, Any]:
        model = self.store.get(region, MODEL, job["ModelName"])
        if model is None:
            raise Failed(f'Could not find model "{self.arn(region, MODEL, job["ModelName"])}".')
        variant = {
            "VariantName": "transform",
            "InstanceType": job["TransformResources"]["InstanceType"],
            "InitialInstanceCount": job["TransformResources"]["InstanceCount"],
        }
        plan = fleet_plan(
            endpoint=job["TransformJobName"], region=region, variant=variant, model=model, config={}, batch=True
        )
        given = {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(job.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB)),
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"
            if job.get("BatchStrategy") == "SingleRecord"
            else "MULTI_RECORD",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(job.get("MaxConcurrentTransforms", 1)),
            **job.get("Environment", {}),
        }
        for container in plan["containers"]:
            container["environment"] = {**container["environment"], **given}
        plan["timeout_s"] = job.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", _DEFAULT_TIMEOUT_S)
        return plan


class _Run:
    """One run of a job, when its model is up."""

    def __init__(self, service: Transforms, region: str, job: Document, fleet: str) -> None:
        self._service = service
        self._region = region
        self._job = job
        self._fleet = fleet
        self._s3 = service.cloud.client("s3", region)
        self._source = job["TransformInput"]
        self._output = job["TransformOutput"]
        self._content_type = self._source.get("ContentType", _DEFAULT_CONTENT_TYPE)
        self._accept = self._output.get("Accept", "")
        processing = job.get("DataProcessing", {})
        self._input_filter = Selection(processing.get("InputFilter", "$"))
        self._output_filter = Selection(processing.get("OutputFilter", "$"))
        self._join = processing.get("JoinSource", "None") == "Input"
        self._identify = job.get("DataCaptureConfig", {}).get("GenerateInferenceId", False)

    def all(self) -> None:
        """Transform every object. Raises: Stopped, BadRecord, Failed, ClientError."""
        split_type = self._source.get("SplitType", "None")
        if split_type not in {"None", "Line"}:
            raise BadRecord(f"Not emulated: SplitType {split_type}. AWS would split the objects into such records.")
        if (self._join or self._identify) and split_type == "None":
            raise BadRecord("Joining needs SplitType Line.")
        captured: dict[str, list[str]] = {"input": [], "output": []}
        count = 0
        for bucket, key, relative in self._objects():
            count += 1
            answer = self._object(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            target_bucket, _, prefix = self._output["S3OutputPath"].removeprefix("s3://").partition("/")
            target = f"{prefix.rstrip('/')}/{relative}.out".lstrip("/")
            self._s3.put_object(Bucket=target_bucket, Key=target, Body=answer)
            captured["input"].append(f"s3://{bucket}/{key}")
            captured["output"].append(f"s3://{target_bucket}/{target}")
        if not count:
            raise BadRecord(f"ClientError: no objects under {self._source['DataSource']['S3DataSource']['S3Uri']}")
        if "DataCaptureConfig" in self._job:
            self._write_manifests(captured)

    def _objects(self) -> Iterator[tuple[str, str, str]]:
        """Give bucket, key and the key below the prefix of each object."""
        source = self._source["DataSource"]["S3DataSource"]
        bucket, _, prefix = source["S3Uri"].removeprefix("s3://").partition("/")
        if source["S3DataType"] == "ManifestFile":
            first, *rest = json.loads(self._s3.get_object(Bucket=bucket, Key=prefix)["Body"].read())
            bucket, _, folder = first["prefix"].removeprefix("s3://").partition("/")
            for relative in rest:
                yield bucket, f"{folder}{relative}", relative
            return
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for key in (entry["Key"] for found in pages for entry in found.get("Contents", [])):
            if not key.endswith("/"):
                # A prefix that is a whole key keeps its name; otherwise what follows the last folder of the prefix.
                yield bucket, key, key[prefix.rfind("/") + 1 :]

    def _object(self, content: bytes) -> bytes:
        if self._source.get("CompressionType") == "Gzip":
            content = gzip.decompress(content)
        by_line = self._source.get("SplitType", "None") == "Line"
        requests = list(
            batches(
                split(content, by_line=by_line),
                largest_mb=self._job.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB),
                many=by_line and self._job.get("BatchStrategy", "MultiRecord") == "MultiRecord",
            )
        )
        with ThreadPoolExecutor(self._job.get("MaxConcurrentTransforms") or 1) as pool:
            answers = list(pool.map(self._batch, requests))
        separator = b"\n" if self._output.get("AssembleWith", "None") == "Line" else b""
        return b"".join(answer.rstrip(b"\n") + separator if separator else answer for answer in answers)

    def _batch(self, records: list[bytes]) -> bytes:
        job = self._service.store.get(self._region, TRANSFORM, self._job["TransformJobName"])
        if job is None or job["TransformJobStatus"] != "InProgress":
            raise Stopped
        sent = [filtered(record, self._content_type, self._input_filter) for record in records]
        answer = self._ask(b"\n".join(sent))
        if not self._join and self._output_filter.is_all and not self._identify:
            return answer
        answers = split(answer, by_line=True)
        if len(answers) != len(records):
            raise BadRecord(
                f"The model answered {len(records)} records with {len(answers)} lines: they can't be joined."
            )
        return b"\n".join(map(self._line, records, answers))

    def _line(self, record: bytes, answer: bytes) -> bytes:
        line = joined(
            record,
            answer,
            content_type=self._content_type,
            accept=self._accept or self._content_type,
            selection=self._output_filter,
            join=self._join,
        )
        if not self._identify:
            return line
        identity, moment = str(uuid.uuid4()), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if "json" in self._content_type:
            facts = {"SageMakerInferenceId": identity, "SageMakerInferenceTime": moment}
            return json.dumps({**facts, **json.loads(line)}).encode()
        return line + f",{identity},{moment}".encode()

    def _ask(self, body: bytes) -> bytes:
        """Ask the model, as often as the job allows. Raises: Failed, RuntimeGone."""
        client = self._job.get("ModelClientConfig", {})
        headers = {"content-type": self._content_type, "x-sandbox-token": self._service.cloud.token}
        if self._accept:
            headers["accept"] = self._accept
        request = urllib.request.Request(  # noqa: S310 (loopback)
            f"{self._service.cloud.runtime_url}/-/fleets/{self._fleet}/invocations", data=body, headers=headers
        )
        reason = ""
        for _ in range(1 + client.get("InvocationsMaxRetries", 0)):
            try:
                with urllib.request.urlopen(request, timeout=3600) as answer:  # noqa: S310
                    content: bytes = answer.read()
                    return content
            except urllib.error.HTTPError as err:
                with err:
                    reason = json.load(err)["reason"]
                if err.code == HTTPStatus.GONE:  # a new runtime does not know the fleet
                    raise RuntimeGone from err
            except OSError as err:
                raise RuntimeGone from err
        raise Failed(f"ClientError: See job logs for more information. {reason}")

    def _write_manifests(self, captured: dict[str, list[str]]) -> None:
        bucket, _, prefix = self._job["DataCaptureConfig"]["DestinationS3Uri"].removeprefix("s3://").partition("/")
        moment = datetime.now(UTC)
        for side, uris in captured.items():
            folder = uris[0].rpartition("/")[0] + "/"
            manifest = [{"prefix": folder}, *(uri.removeprefix(folder) for uri in uris)]
            name = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            key = f"{prefix.rstrip('/')}/{side}/{moment:%Y/%m/%d/%H}/{name}".lstrip("/")
            self._s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
