"""Where the sandbox keeps its state and what it pretends to be; all of it from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "000000000000"
REGION = "us-east-1"
# Any pair is accepted; this one says what it is for.
ACCESS_KEY = "sandbox"
SECRET_KEY = "sandbox"  # noqa: S105 (signatures are not verified)
LOOPBACK = "127.0.0.1"
SAMPLES_BUCKET = "sandbox-samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one sandbox. Ports are 0 for "any free one; the same again after a restart"."""

    folder: Path
    port: int
    runtime_port: int
    samples: bool = True  # whether the sample models are trained when it is first started

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `HOSTFIT_SANDBOX_HOME`, `HOSTFIT_SANDBOX_PORT`, `_RUNTIME_PORT` and `_SAMPLES`."""
        home = environment.get("HOSTFIT_SANDBOX_HOME")
        data = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        return cls(
            folder=Path(home).expanduser().resolve() if home else Path(data) / "hostfit" / "sandbox",
            port=int(environment.get("HOSTFIT_SANDBOX_PORT") or 0),
            runtime_port=int(environment.get("HOSTFIT_SANDBOX_RUNTIME_PORT") or 0),
            samples=environment.get("HOSTFIT_SANDBOX_SAMPLES", "").lower() not in {"0", "no", "false"},
        )


def client_environment(url: str, runtime_url: str) -> dict[str, str]:
    """Give the variables that point every AWS client of a shell to the sandbox."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
