"""The runs of a batch launch: the one that it starts with, and further ones, each once its price is confirmed."""

import hashlib
from dataclasses import dataclass

from fitness.prices import PriceBook
from launch import jobs
from launch.errors import LaunchError, RefusedError
from launch.launched import Launched, Phase
from launch.looking import Looking
from launch.plan import Confirmation, plan
from launch.price import Hourly
from launch.proposing import check
from launch.template_batch import is_job_now


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherRun:
    """A run that was not started yet, beside what it costs."""

    name: str  # of the launch
    stack_id: str
    job: str  # its name
    price: Hourly

    @property
    def token(self) -> str:
        """What a confirmation of this run holds: another run in between makes it another."""
        return hashlib.sha256(f"run {self.stack_id} {self.job}".encode()).hexdigest()


class Running(Looking):
    """The transform jobs of launches."""

    def start_job(self, launched: Launched) -> str | None:
        """Start the job that a launch begins with, which was confirmed with it; gives its name.

        One that has been started is not started again; None where no change of the launch has asked for one.
        Raises: CloudError, LaunchError.
        """
        return None if launched.job_origin is None else self._start(launched, 1)

    def preview_run(self, name: str, *, book: PriceBook) -> FurtherRun:
        """Give what a further run of a batch launch would be; nothing is started.

        Raises: LaunchError for what runs no jobs or is not live, RefusedError for what a schedule runs, CloudError.
        """
        return self._further(name, book)[0]

    def run_again(self, name: str, confirmation: Confirmation, *, book: PriceBook) -> str:
        """Start the run that was shown and confirmed; gives the name of its job.

        Raises: RefusedError where it was not, or another was started since; as `preview_run` besides.
        """
        shown, launched, number = self._further(name, book)
        check(confirmation, token=shown.token, usd_per_hour=shown.price.usd_per_hour)
        return self._start(launched, number)

    def _further(self, name: str, book: PriceBook) -> tuple[FurtherRun, Launched, int]:
        launched = self.look(name)
        if launched is None:
            raise LaunchError(f"there is no launch called {name}")
        request = launched.request
        if request is None or request.transform is None:
            raise LaunchError(f"{name} runs no jobs: it is no batch launch")
        if not is_job_now(request):
            raise RefusedError(
                f"the jobs of {name} are started by its schedule, {request.transform.schedule} (UTC); nothing was done"
            )
        if launched.phase is not Phase.LIVE:
            raise LaunchError(f"{name} is in {launched.status}; a job can run when it is live")
        number = jobs.next_run(self.clients, request, _origin(launched))
        shown = FurtherRun(
            name=launched.name,
            stack_id=launched.stack_id,
            job=jobs.job_name(request, _origin(launched), number),
            price=plan(request, book=book).to_confirm,
        )
        return shown, launched, number

    def _start(self, launched: Launched, run: int) -> str:
        if launched.request is None or launched.token is None:
            raise LaunchError("what the job would read can't be told from the launch; launch it again")
        return jobs.start(
            self.clients,
            launched.request,
            model_name=launched.outputs["ModelName"],
            token=launched.token,
            origin=_origin(launched),
            run=run,
        )


def _origin(launched: Launched) -> str:
    """What the names of the runs are made of; further runs may be of a launch whose job was never started."""
    return launched.job_origin or launched.stack_id
