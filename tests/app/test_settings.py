"""Settings: the file, the environment over it, and messages that name keys and never values."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.container import build_rules
from app.sections import host_and_port
from app.settings import CONFIG_FILE, ENV_PREFIX, InvalidSettings, Settings, load_settings

# As the customer's description of the service has it, word for word.
BRIEF = """
# config.yaml
server:
  port: ":8084"
  readTimeout: 35
  writeTimeout: 30
  idleTimeout: 70

mongodb:
  uri: "mongodb://localhost:27017"
  database: "customer_service"
  maxPoolSize: 100
  minPoolSize: 10

aws:
  s3:
    region: "us-east-1"
    bucket: "customer-documents"
    accessKey: "${AWS_ACCESS_KEY}"
    secretKey: "${AWS_SECRET_KEY}"
  
  sqs:
    region: "us-east-1"
    accessKey: "${AWS_ACCESS_KEY}"
    secretKey: "${AWS_SECRET_KEY}"
    queues:
      customerQueue: "customer-service-queue"

kafka:
  brokers:
    - "localhost:9092"
  topics:
    customerCreate: "customer.created"
    customerUpdate: "customer.updated"
    customerDelete: "customer.deleted"

pusher:
  appId: "${PUSHER_APP_ID}"
  key: "${PUSHER_KEY}"
  secret: "${PUSHER_SECRET}"
  cluster: "us2"

bulk:
  customer:
    batchSize: 100
    maxWorkers: 5

validation:
  email: true
  phone: true
  documents: true

monitoring:
  newRelic:
    enabled: true
    appName: "customer-service"
    licenseKey: "${NEW_RELIC_LICENSE_KEY}"
  
  prometheus:
    enabled: true
    port: ":9090"
"""  # noqa: W293 - word for word
MASTER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SECRETS = {
    "AWS_ACCESS_KEY": "canary-1",
    "AWS_SECRET_KEY": "canary-2",
    "PUSHER_APP_ID": "the app",
    "PUSHER_KEY": "the key",
    "PUSHER_SECRET": "canary-3",
    "NEW_RELIC_LICENSE_KEY": "canary-4",
}
OURS = f"{BRIEF}security:\n  keyFile: keys.json\n  masterKey: {MASTER_KEY}\nmalware:\n  scanner: clamav\n"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(OURS, encoding="utf-8")
    return path


def change(path: Path, keys: str, value: object) -> None:
    """Give one key of the file another value."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    *above, last = keys.split(".")
    inner = content
    for key in above:
        inner = inner.setdefault(key, {})
    inner[last] = value
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def refusal(path: Path) -> str:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(path, SECRETS)
    return str(refused.value)


def plain(settings: Settings) -> dict[str, Any]:
    def reveal(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reveal(inner) for key, inner in value.items()}
        return value.get_secret_value() if hasattr(value, "get_secret_value") else value

    revealed: dict[str, Any] = reveal(settings.model_dump())
    return revealed


def test_the_file_of_the_brief_needs_nothing_but_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(BRIEF, encoding="utf-8")
    monkeypatch.setenv("CUSTOMER_SERVICE_SECURITY__KEY_FILE", "keys.json")
    monkeypatch.setenv("CUSTOMER_SERVICE_SECURITY__MASTER_KEY", MASTER_KEY)

    found = plain(load_settings(path, SECRETS))

    assert {"port": ":8084", "read_timeout": 35, "write_timeout": 30, "idle_timeout": 70}.items() <= found["server"].items()
    assert {
        "uri": "mongodb://localhost:27017",
        "database": "customer_service",
        "max_pool_size": 100,
        "min_pool_size": 10,
    } == found["mongodb"]
    keys = {"region": "us-east-1", "access_key": "canary-1", "secret_key": "canary-2"}
    assert (keys | {"bucket": "customer-documents"}).items() <= found["aws"]["s3"].items()
    assert (keys | {"queues": {"customer_queue": "customer-service-queue"}}).items() <= found["aws"]["sqs"].items()
    assert ["localhost:9092"] == found["kafka"]["brokers"]
    assert {
        "customer_create": "customer.created",
        "customer_update": "customer.updated",
        "customer_delete": "customer.deleted",
    } == found["kafka"]["topics"]
    assert {"app_id": "the app", "key": "the key", "secret": "canary-3", "cluster": "us2"}.items() <= found["pusher"].items()
    assert {"batch_size": 100, "max_workers": 5}.items() <= found["bulk"]["customer"].items()
    assert {"email": True, "phone": True, "documents": True, "addresses": True} == found["validation"]
    named = {"enabled": True, "app_name": "customer-service", "license_key": "canary-4"}
    assert named.items() <= found["monitoring"]["new_relic"].items()
    assert {"enabled": True, "port": ":9090"} == found["monitoring"]["prometheus"]


CHANGES = {
    "server.port": "127.0.0.1:1",
    "server.readTimeout": 1.0,
    "server.writeTimeout": 2.0,
    "server.idleTimeout": 3.0,
    "mongodb.uri": "mongodb://elsewhere",
    "mongodb.database": "other",
    "mongodb.maxPoolSize": 7,
    "mongodb.minPoolSize": 3,
    "aws.s3.region": "eu-west-1",
    "aws.s3.bucket": "other",
    "aws.s3.accessKey": "a",
    "aws.s3.secretKey": "b",
    "aws.sqs.region": "eu-west-1",
    "aws.sqs.accessKey": "a",
    "aws.sqs.secretKey": "b",
    "aws.sqs.queues.customerQueue": "other",
    "kafka.brokers": ["one:1", "two:2"],
    "kafka.topics.customerCreate": "c",
    "kafka.topics.customerUpdate": "u",
    "kafka.topics.customerDelete": "d",
    "pusher.appId": "a",
    "pusher.key": "k",
    "pusher.secret": "s",
    "pusher.cluster": "eu",
    "bulk.customer.batchSize": 7,
    "bulk.customer.maxWorkers": 9,
    "validation.email": False,
    "validation.phone": False,
    "validation.documents": False,
    "monitoring.newRelic.enabled": False,
    "monitoring.newRelic.appName": "other",
    "monitoring.newRelic.licenseKey": "l",
    "monitoring.prometheus.enabled": False,
    "monitoring.prometheus.port": ":1",
}


def test_the_list_of_changes_is_the_brief() -> None:
    def paths(value: object, above: str = "") -> set[str]:
        if not isinstance(value, dict):
            return {above[1:]}
        return {path for key, inner in value.items() for path in paths(inner, f"{above}.{key}")}

    assert paths(yaml.safe_load(BRIEF)) == set(CHANGES)


@pytest.mark.parametrize(("key", "value"), CHANGES.items())
def test_every_key_of_the_brief_is_understood(path: Path, key: str, value: object) -> None:
    before = plain(load_settings(path, SECRETS))

    change(path, key, value)
    after: Any = plain(load_settings(path, SECRETS))

    assert before != after
    for name in key.split("."):
        after = after["".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)]
    assert value == after


def test_a_variable_that_is_not_set_is_as_if_the_key_were_absent(path: Path) -> None:
    found = load_settings(path, {})

    assert found.aws.s3.access_key is None
    assert found.pusher.app_id is None


@pytest.mark.parametrize(
    ("written", "environ", "read"),
    [
        ("${NAME}", {"NAME": "x"}, "x"),
        ("${NAME}", {}, None),
        ("${NAME}", {"NAME": ""}, None),
        ("${NAME:-fallback}", {}, "fallback"),
        ("${NAME:-fallback}", {"NAME": "x"}, "x"),
        ("${NAME:-}", {}, None),
        ("${NAME:-a:b-c}", {}, "a:b-c"),
        ("http://${NAME}:${PORT:-80}/", {"NAME": "s3"}, "http://s3:80/"),
        ("${NAME}", {"NAME": "${OTHER}", "OTHER": "x"}, "${OTHER}"),  # a value is a value
        ("$NAME", {"NAME": "x"}, "$NAME"),
        ("$${NAME}", {"NAME": "x"}, "$x"),
        ("${1NAME}", {}, "${1NAME}"),
    ],
)
def test_variables(path: Path, written: str, environ: dict[str, str], read: str | None) -> None:
    change(path, "aws.s3.endpoint", written)
    change(path, "kafka.brokers", [written, "b"])

    found = load_settings(path, environ)

    assert read == found.aws.s3.endpoint
    assert "b" == found.kafka.brokers[-1]


@pytest.mark.parametrize(
    ("name", "value", "key", "read"),
    [
        ("MONGODB__MAX_POOL_SIZE", "50", ("mongodb", "max_pool_size"), 50),
        ("AWS__SQS__QUEUES__CUSTOMER_QUEUE", "q", ("aws", "sqs", "queues", "customer_queue"), "q"),
        ("KAFKA__BROKERS", '["one:1","two:2"]', ("kafka", "brokers"), ["one:1", "two:2"]),
        ("SERVER__ALLOWED_ORIGINS", "[]", ("server", "allowed_origins"), []),
        ("SERVER__PORT", "8085", ("server", "port"), "8085"),
        ("VALIDATION__EMAIL", "false", ("validation", "email"), False),
        ("ENVIRONMENT", "production", ("environment",), "production"),
        ("SECURITY__MASTER_KEY", "k", ("security", "master_key"), "k"),
        ("KAFKA__TOPICS", '{"customer_create":"x"}', ("kafka", "topics", "customer_create"), "x"),
    ],
)
def test_the_environment_wins(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, key: tuple[str, ...], read: object
) -> None:
    monkeypatch.setenv(ENV_PREFIX + name, value)

    found: Any = plain(load_settings(path, SECRETS))

    assert "customer.updated" == found["kafka"]["topics"]["customer_update"]  # what stands beside it stays
    for part in key:
        found = found[part]
    assert read == found


@pytest.mark.parametrize(
    "key", ["mongodb.maxPolSize", "servr", "aws.s3.buckets", "kafka.topics.customerCreated", "monitoring.prometheus.enable"]
)
def test_an_unknown_key_is_named(path: Path, key: str) -> None:
    change(path, key, "canary")

    message = refusal(path)

    assert f"  {key}: Extra inputs are not permitted" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("mongodb.uri", "MONGODB__URI"),
        ("security.keyFile", "SECURITY__KEY_FILE"),
        ("security.masterKey", "SECURITY__MASTER_KEY"),
    ],
)
@pytest.mark.parametrize("value", ["${NOBODY_SETS_THIS}", None])
def test_a_missing_key_is_named_with_its_variable(path: Path, key: str, variable: str, value: str | None) -> None:
    change(path, key, value)

    assert f"  {key}: Field required (environment: CUSTOMER_SERVICE_{variable})" in refusal(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("server.port", "canary"),
        ("server.port", ":canary"),
        ("server.port", ":70000"),
        ("server.readTimeout", 0),
        ("server.readTimeout", "canary"),
        ("mongodb.database", "canary/.$"),
        ("mongodb.maxPoolSize", "canary"),
        ("mongodb.maxPoolSize", 0),
        ("mongodb", "canary"),
        ("kafka.brokers", []),
        ("kafka.brokers", "canary"),
        ("kafka.personalData", "canary"),
        ("aws.s3.secretKey", ["canary"]),
        ("bulk.customer.batchSize", 1001),
        ("bulk.customer.maxWorkers", -1),
        ("validation.email", "canary"),
        ("sellers.defaultCountry", "canary"),
        ("security.masterKey", {"canary": "canary"}),
        ("security.accessTokenLifetime", "canary"),
        ("environment", "canary"),
    ],
    ids=str,
)
def test_a_bad_value_is_named_by_its_key_and_never_quoted(path: Path, key: str, value: object) -> None:
    change(path, key, value)

    message = refusal(path)

    assert f"  {key}: " in message
    assert "canary" not in message
    assert MASTER_KEY not in message


def test_all_mistakes_are_told_at_once(path: Path) -> None:
    change(path, "mongodb.maxPoolSize", "x")
    change(path, "servr", {})
    change(path, "security", {})

    message = refusal(path)

    assert ["mongodb.maxPoolSize", "security.keyFile", "security.masterKey", "servr"] == sorted(
        line.partition(":")[0].strip() for line in message.splitlines()[1:]
    )


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("MONGODB__MAX_POOL_SIZE", "canary", "mongodb.maxPoolSize"),
        ("KAFKA__BROKERS", "canary:9092,other:9092", "kafka"),
        ("KAFKA", "canary", "kafka"),
        ("MONGODB__MAX_POL_SIZE", "canary", "mongodb.maxPolSize"),
    ],
)
def test_a_bad_override_is_named_and_never_quoted(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    monkeypatch.setenv(ENV_PREFIX + name, value)

    message = refusal(path)

    assert part in message
    assert "canary" not in message


@pytest.mark.parametrize("show", [repr, str, lambda settings: settings.model_dump_json(), lambda settings: f"{vars(settings)}"])
def test_secrets_never_print(path: Path, show: Any) -> None:
    change(path, "mongodb.uri", "mongodb://ada:canary@db")

    shown = show(load_settings(path, SECRETS))

    assert "canary" not in shown
    assert MASTER_KEY not in shown
    assert "customer-documents" in shown


def test_settings_do_not_change(path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(path, SECRETS).server.port = "1"  # type: ignore[misc]  # the mistake in question


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere.yaml")

    assert f"The configuration file '{tmp_path / 'nowhere.yaml'}' cannot be read: No such file or directory." == message


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"server:\n\tport: canary", "line 2"),
        (b"secret: *canary", "line 1, column 9"),
        (b"secret: 'canary", "line 1"),
        (b"secret: !!python/object:canary {}", "line 1"),
        (b"a: canary: b", "line 1"),
        (b"secret: canary\xff", ""),
        (b"secret: canary\x00", ""),
        (b"canary: [" * 3, "line 1"),
    ],
    ids=str,
)
def test_a_file_that_is_no_yaml_is_not_quoted(path: Path, content: bytes, place: str) -> None:
    path.write_bytes(content)

    message = refusal(path)

    assert "is not valid YAML" in message
    assert place in message
    assert "canary" not in message


@pytest.mark.parametrize("content", ["- a\n- b", "just text", "5", "true"])
def test_a_file_without_keys_is_told_what_it_lacks(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")

    assert "has to hold keys and values" in refusal(path)


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_lacks_the_required_keys(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")

    message = refusal(path)

    assert "  mongodb: Field required" in message
    assert "  security: Field required" in message


def test_the_file_is_found_from_wherever_the_program_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("somebody: else's", encoding="utf-8")
    environ = SECRETS | {"CUSTOMER_SERVICE_KEY_FILE": "keys.json", "CUSTOMER_SERVICE_MASTER_KEY": MASTER_KEY}

    found = load_settings(environ=environ)

    assert CONFIG_FILE.is_absolute()
    assert "mongodb://localhost:27017/?replicaSet=rs0" == found.mongodb.uri.get_secret_value()


def test_the_environment_may_name_another_file(path: Path) -> None:
    change(path, "mongodb.database", "elsewhere")

    assert "elsewhere" == load_settings(environ={"CUSTOMER_SERVICE_CONFIG": str(path)}).mongodb.database
    assert "nowhere.yaml" in _message_of({"CUSTOMER_SERVICE_CONFIG": "nowhere.yaml"})


def _message_of(environ: dict[str, str]) -> str:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(environ=environ)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("security.otpOutbox", "otp.jsonl"),
        ("security.masterKey", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("server.allowedOrigins", ["https://shop.example", "*"]),
        ("server.publicUrl", "http://customers.example.com"),
        ("security.accessTokenLifetime", "PT2H"),
    ],
)
def test_what_is_fine_at_home_is_refused_in_production(path: Path, key: str, value: object) -> None:
    change(path, key, value)
    load_settings(path, SECRETS)

    change(path, "environment", "production")
    message = refusal(path)

    assert "not safe in production" in message
    assert [key] == [line.partition(":")[0].strip() for line in message.splitlines()[1:]]


def test_production_has_to_say_who_looks_for_malware(path: Path) -> None:
    change(path, "environment", "production")
    change(path, "malware", {"host": "clamav"})

    assert "  malware.scanner: says nobody" in refusal(path)
    change(path, "malware.scanner", "none")
    assert "none" == load_settings(path, SECRETS).malware.scanner


def test_codes_do_not_travel_in_the_clear_in_production(path: Path) -> None:
    change(path, "otp", {"webhook": {"url": "http://codes.example.com", "secret": "s"}})
    change(path, "environment", "production")

    assert "  otp.webhook.url: sends codes in the clear" in refusal(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"url": "https://tenants.example.com/settings"}, "tenantService.url: Value error, Say where the seller's id goes"),
        ({"url": "nowhere"}, "tenantService.url: String should match"),
        ({}, "tenantService.url: Field required"),
        ({"url": "https://t.example.com/{sellerId}", "timeout": 60}, "tenantService.timeout: Input should be less"),
    ],
)
def test_a_tenant_service_that_could_not_be_asked_is_refused(path: Path, value: object, said: str) -> None:
    change(path, "tenantService", value)

    assert f"  {said}" in refusal(path)


def test_a_token_for_the_tenant_service_does_not_travel_in_the_clear_in_production(path: Path) -> None:
    change(path, "tenantService", {"url": "http://tenants.example.com/{sellerId}", "token": "t"})
    change(path, "environment", "production")

    assert "  tenantService.url: sends the token in the clear" in refusal(path)


def test_production_with_safe_settings_starts(path: Path) -> None:
    change(path, "environment", "production")
    change(path, "server.allowedOrigins", ["https://shop.example"])

    assert "production" == load_settings(path, SECRETS).environment


def test_what_sellers_require_unless_told_otherwise(path: Path) -> None:
    sellers = load_settings(path, SECRETS).sellers

    assert ["CONTACT_VERIFIED", "ADDRESS_ADDED", "DOCUMENT_SUBMITTED"] == sellers.onboarding
    assert [] == sellers.each


def test_each_seller_may_say_something_for_itself(path: Path) -> None:
    """
    From the file to what holds for a seller.
    """
    change(path, "sellers.defaultCountry", "GB")
    change(path, "sellers.onboarding", ["DOCUMENT_VERIFIED"])
    change(
        path,
        "sellers.each",
        [
            {"sellerId": "demo", "defaultCountry": "AE", "onboarding": ["ADDRESS_ADDED"]},
            {"sellerId": "demo-two", "onboarding": []},
            {"sellerId": "demo-three"},
        ],
    )

    policies = build_rules(load_settings(path, SECRETS)).policies

    assert [("AE", ("ADDRESS_ADDED",)), ("GB", ()), ("GB", ("DOCUMENT_VERIFIED",)), ("GB", ("DOCUMENT_VERIFIED",))] == [
        (policies.of(seller).default_country, policies.onboarding_of(seller))
        for seller in ("demo", "demo-two", "demo-three", "unheard-of")
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            [{"sellerId": "demo"}, {"sellerId": "demo", "defaultCountry": "AE"}],
            "each: Value error, Two of them are about the same",
        ),
        ([{"defaultCountry": "AE"}], "each.0.sellerId: Field required"),
        ([{"sellerId": "canary/"}], "each.0.sellerId: String should match"),
        (
            [{"sellerId": "demo", "defaultCountry": "canary"}],
            "each.0.defaultCountry: Value error, This is the code of no country",
        ),
        ([{"sellerId": "demo", "defaultCountry": "XX"}], "each.0.defaultCountry: Value error, This is the code of no country"),
        ([{"sellerId": "demo", "onboarding": ["canary"]}], "each.0.onboarding.0: Input should be 'CONTACT_VERIFIED'"),
        ([{"sellerId": "demo", "onboarding": ["ADDRESS_ADDED"] * 2}], "each.0.onboarding: Value error, A step is named twice"),
        ([{"sellerId": "demo", "canary": 1}], "each.0.canary: Extra inputs"),
    ],
    ids=["twice", "nobody", "no seller's id", "no code", "no country", "no step", "a step twice", "a typing mistake"],
)
def test_what_a_seller_cannot_say_is_named(path: Path, value: object, said: str) -> None:
    change(path, "sellers.each", value)

    assert f"  sellers.{said}" in refusal(path)


@pytest.mark.parametrize("value", [["canary"], ["ADDRESS_ADDED", "CONTACT_VERIFIED", "ADDRESS_ADDED"], "canary", {}], ids=str)
def test_what_cannot_be_required_is_refused(path: Path, value: object) -> None:
    change(path, "sellers.onboarding", value)

    message = refusal(path)

    assert "  sellers.onboarding" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    ("listen_on", "address"),
    [
        (":8084", ("0.0.0.0", 8084)),
        ("8084", ("0.0.0.0", 8084)),
        ("localhost:0", ("localhost", 0)),
        (":65535", ("0.0.0.0", 65535)),
    ],
)
def test_where_to_listen(listen_on: str, address: tuple[str, int]) -> None:
    assert address == host_and_port(listen_on)
