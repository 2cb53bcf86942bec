"""The promise to consumers as a whole: an AsyncAPI 3.0 document of topics, keys, headers and bodies."""

import orjson

from core.vocabulary import CustomerEventType
from events.contract import HEADERS, REPLAY, REPLAY_HEADER, TOLD, TRACE, data_of, envelope, example, parts
from events.customer import EVENT_NAMES, SCHEMA_VERSION, TRACEPARENT_HEADER, EventTopics, topic_of
from events.fields import Json, text

_ABOUT = """\
What happens to the customers of many sellers. Every event is published at least once, in the order of `version` for each
customer and topic, with an id that is the same in every repetition. Bodies are JSON; objects are open, so that fields can be
added. How much of a customer travels in an event is a setting of the service (`kafka.personalData`)."""

_CHANNELS = {
    "customerCreated": (CustomerEventType.CREATED,),
    "customerUpdated": (CustomerEventType.UPDATED, CustomerEventType.DOCUMENT_EXPIRING),
    "customerDeleted": (CustomerEventType.DELETED, CustomerEventType.ERASED),
}
_TITLES = {
    "customerCreated": "Customers that are new",
    "customerUpdated": "Customers that changed",
    "customerDeleted": "Customers that are gone",
}


def asyncapi(topics: EventTopics) -> Json:
    """Return the AsyncAPI document of a service that publishes to *topics*."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Events of Customer Service",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": _ABOUT,
            "tags": [{"name": "customers", "description": "What happens to customers."}],
        },
        "defaultContentType": "application/json",
        "channels": {channel: _channel(channel, types, topics) for channel, types in _CHANNELS.items()},
        "operations": {
            f"publish{_capital(channel)}": {
                "action": "send",
                "title": _TITLES[channel],
                "summary": " ".join(TOLD[event_type] for event_type in types),
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [{"$ref": f"#/channels/{channel}/messages/{_message(event_type)}"} for event_type in types],
            }
            for channel, types in _CHANNELS.items()
        },
        "components": {
            "messages": {_message(event_type): _described(event_type) for event_type in EVENT_NAMES},
            "schemas": {
                **{_payload(one): envelope(one, data_of(one, _in_components)) for one in EVENT_NAMES},
                **parts(_in_components),
            },
        },
    }


def _channel(channel: str, types: tuple[CustomerEventType, ...], topics: EventTopics) -> Json:
    topic = topic_of(types[0], topics)
    return {
        "address": topic,
        "title": _TITLES[channel],
        "description": " ".join(TOLD[event_type] for event_type in types),
        "messages": {_message(event_type): {"$ref": f"#/components/messages/{_message(event_type)}"} for event_type in types},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _described(event_type: CustomerEventType) -> Json:
    name = EVENT_NAMES[event_type]
    shown = example(event_type)
    return {
        "name": name,
        "title": name,
        "summary": TOLD[event_type],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                **HEADERS,
                "event": HEADERS["event"] | {"const": name, "examples": [name]},
                "ce_type": HEADERS["ce_type"] | {"const": name, "examples": [name]},
                REPLAY_HEADER: REPLAY,
                TRACEPARENT_HEADER: TRACE,
            },
            "required": list(HEADERS),
        },
        "payload": {"$ref": f"#/components/schemas/{_payload(event_type)}"},
        "bindings": {
            "kafka": {
                "key": text("The customer's id: one customer's events are in one partition.", shown.key.decode()),
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [
            {
                "name": name,
                "summary": "As it is with masked personal data, the default.",
                "headers": {header: value.decode() for header, value in shown.headers},
                "payload": orjson.loads(shown.value),
            }
        ],
    }


def _in_components(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _message(event_type: CustomerEventType) -> str:
    return f"customer{_title(event_type)}"


def _payload(event_type: CustomerEventType) -> str:
    return f"Customer{_title(event_type)}Event"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _title(event_type: CustomerEventType) -> str:
    return "".join(word.capitalize() for word in event_type.value.split("_"))
