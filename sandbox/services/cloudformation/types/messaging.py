"""Topics, subscriptions, queues and their policies."""

import json
from typing import Any, ClassVar

from sandbox.services.cloudformation.calls import Calls, Refused
from sandbox.services.cloudformation.intrinsics import text_of
from sandbox.services.cloudformation.types.resource_type import (
    Found,
    Properties,
    ResourceType,
    document_text,
    only,
    tag_list,
    without,
)


class Topic(ResourceType):
    """AWS::SNS::Topic."""

    type = "AWS::SNS::Topic"
    name_property = "TopicName"
    changeable = frozenset({"DisplayName", "KmsMasterKeyId", "ContentBasedDeduplication", "Subscription"})
    create_only = frozenset({"FifoTopic"})
    lists: ClassVar = {"Subscription": ("Protocol", "Endpoint")}
    tags_property = "Tags"
    takes_system_tags = True
    longest_name = 256
    _settings = ("DisplayName", "KmsMasterKeyId", "ContentBasedDeduplication")

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get its attributes."""
        arn = call.arn("sns", name)
        if call.lookup("sns", "get_topic_attributes", TopicArn=arn) is None:
            return None
        return Found(physical_id=arn, attributes={"TopicArn": arn, "TopicName": name})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it with its settings and tags."""
        attributes = {key: text_of(value) for key, value in only(properties, *self._settings, "FifoTopic").items()}
        call("sns", "create_topic", Name=name, Attributes=attributes, Tags=tag_list(self._tags(properties)))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Change settings and tags, subscribe who is new and unsubscribe who is gone."""
        arn = call.arn("sns", name)
        for key in self._settings if before else ():
            if before.get(key) != after.get(key):
                value = text_of(after.get(key, ""))
                call("sns", "set_topic_attributes", TopicArn=arn, AttributeName=key, AttributeValue=value)
        for entry in before.get("Subscription", []):
            if entry not in after.get("Subscription", []):
                _unsubscribe(call, {**entry, "TopicArn": arn})
        for entry in after.get("Subscription", []):
            call("sns", "subscribe", TopicArn=arn, **entry)
        self.retag(call, ("sns", "tag_resource", "untag_resource"), before, after, ResourceArn=arn)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it with the subscriptions of its own."""
        arn = call.arn("sns", name)
        for entry in properties.get("Subscription", []):
            _unsubscribe(call, {**entry, "TopicArn": arn})
        call("sns", "delete_topic", TopicArn=arn)


class Subscription(ResourceType):
    """AWS::SNS::Subscription."""

    type = "AWS::SNS::Subscription"
    required = frozenset({"TopicArn", "Protocol"})
    changeable = frozenset(
        {"FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy"}
    )
    create_only = frozenset({"TopicArn", "Protocol", "Endpoint"})

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look for it among those of the topic."""
        arn = _subscription(call, properties)
        return None if arn is None else Found(physical_id=arn, attributes={"Arn": arn})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Subscribe."""
        call(
            "sns",
            "subscribe",
            **only(properties, "TopicArn", "Protocol", "Endpoint"),
            Attributes={name: text_of(value) for name, value in only(properties, *sorted(self.changeable)).items()},
        )

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Set the attributes that changed."""
        for key in sorted(self.changeable) if before else ():
            if before.get(key) != after.get(key):
                arn, value = _subscription(call, after), text_of(after.get(key, ""))
                call("sns", "set_subscription_attributes", SubscriptionArn=arn, AttributeName=key, AttributeValue=value)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Unsubscribe."""
        _unsubscribe(call, properties)


def _subscription(call: Calls, properties: Properties) -> str | None:
    asked: dict[str, Any] = {"TopicArn": properties["TopicArn"]}
    while True:
        page = call.lookup("sns", "list_subscriptions_by_topic", **asked)
        if page is None:
            return None
        for entry in page["Subscriptions"]:
            if (entry["Protocol"], entry["Endpoint"]) == (properties["Protocol"], properties.get("Endpoint", "")):
                return str(entry["SubscriptionArn"])
        if not page.get("NextToken"):
            return None
        asked["NextToken"] = page["NextToken"]


def _unsubscribe(call: Calls, properties: Properties) -> None:
    arn = _subscription(call, properties)
    if arn is not None:
        call.take("sns", "unsubscribe", SubscriptionArn=arn)


class TopicPolicy(ResourceType):
    """AWS::SNS::TopicPolicy: replaces the policy that every topic has."""

    type = "AWS::SNS::TopicPolicy"
    required = frozenset({"PolicyDocument", "Topics"})
    changeable = frozenset({"PolicyDocument", "Topics"})
    lists: ClassVar = {"Topics": ()}

    def checked(self, properties: Properties) -> None:
        """Refuse what is no ARN of a topic too. Raises: Refused."""
        super().checked(properties)
        wrong = [topic for topic in properties["Topics"] if not topic.startswith("arn:aws:sns:")]
        if wrong:
            raise Refused(f"Invalid parameter: TopicArn Reason: {', '.join(wrong)}")

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Compare the policy of the first topic with the one that was asked for."""
        found = call.lookup("sns", "get_topic_attributes", TopicArn=properties["Topics"][0])
        wanted = json.loads(document_text(properties["PolicyDocument"]))
        if found is None or json.loads(found["Attributes"].get("Policy") or "{}") != wanted:
            return None
        return Found(physical_id=name, attributes={"Id": name})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Set it on the first topic."""
        self._set(call, properties["Topics"][0], document_text(properties["PolicyDocument"]))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Set it on every topic; give those that lost it the policy of a new topic."""
        for topic in after["Topics"]:
            self._set(call, topic, document_text(after["PolicyDocument"]))
        self._reset(call, [topic for topic in before.get("Topics", []) if topic not in after["Topics"]])

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Give every topic the policy of a new one."""
        self._reset(call, properties["Topics"])

    def _reset(self, call: Calls, topics: list[str]) -> None:
        for topic in topics:
            policy = _policy_of_a_new_topic(call, topic)
            call.take("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    @staticmethod
    def _set(call: Calls, topic: str, policy: str) -> None:
        call("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _policy_of_a_new_topic(call: Calls, topic: str) -> str:
    # SNS developer guide, "Default access policy", read 2026-11-21.
    actions = (
        "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
        "ListSubscriptionsByTopic", "Publish",
    )  # fmt: skip
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": call.account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


class Queue(ResourceType):
    """AWS::SQS::Queue."""

    type = "AWS::SQS::Queue"
    name_property = "QueueName"
    changeable = frozenset({
        "ContentBasedDeduplication", "DelaySeconds", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId",
        "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy",
        "SqsManagedSseEnabled", "VisibilityTimeout",
    })  # fmt: skip
    create_only = frozenset({"FifoQueue"})
    tags_property = "Tags"
    longest_name = 80

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get its address."""
        found = call.lookup("sqs", "get_queue_url", QueueName=name)
        if found is None:
            return None
        url = found["QueueUrl"]
        return Found(physical_id=url, attributes={"Arn": call.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it."""
        call("sqs", "create_queue", QueueName=name, Attributes=_texts(properties), tags=self._tags(properties))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Set its attributes and tags."""
        if not before:
            return
        url = call("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
        changed = {key: value for key, value in _texts(after).items() if before.get(key) != after.get(key)}
        if changed:  # moto forgets a policy that does not come along
            standing = call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["Policy"])
            policy = standing.get("Attributes", {})
            call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={**policy, **changed})
        added, gone = self.retagged(before, after)
        if added:
            call("sqs", "tag_queue", QueueUrl=url, Tags=added)
        if gone:
            call.take("sqs", "untag_queue", QueueUrl=url, TagKeys=gone)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("sqs", "delete_queue", QueueUrl=call("sqs", "get_queue_url", QueueName=name)["QueueUrl"])


def _texts(properties: Properties) -> dict[str, str]:
    return {name: text_of(value) for name, value in without(properties, "QueueName", "Tags").items()}


class QueuePolicy(ResourceType):
    """AWS::SQS::QueuePolicy."""

    type = "AWS::SQS::QueuePolicy"
    required = frozenset({"PolicyDocument", "Queues"})
    changeable = frozenset({"PolicyDocument", "Queues"})
    lists: ClassVar = {"Queues": ()}

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look for a policy on the first queue."""
        first = properties["Queues"][0]
        found = call.lookup("sqs", "get_queue_attributes", QueueUrl=first, AttributeNames=["Policy"])
        has_one = found is not None and found.get("Attributes", {}).get("Policy")
        return Found(physical_id=name, attributes={"Id": name}) if has_one else None

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Set it on the first queue."""
        self._set(call, properties["Queues"][:1], document_text(properties["PolicyDocument"]))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Set it on every queue and take it from those that lost it."""
        self._set(call, after["Queues"], document_text(after["PolicyDocument"]))
        self._reset(call, [queue for queue in before.get("Queues", []) if queue not in after["Queues"]])

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Take it from every queue."""
        self._reset(call, properties["Queues"])

    def _reset(self, call: Calls, queues: list[str]) -> None:
        for queue in queues:
            call.take("sqs", "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": ""})

    @staticmethod
    def _set(call: Calls, queues: list[str], policy: str) -> None:
        for queue in queues:
            call("sqs", "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": policy})
