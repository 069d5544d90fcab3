"""`sm-platform prepare`: what a daemon finds ready when something else than `up` starts it."""

from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.resources import check_environment, run_limits
from sm_platform.defs.serving import pools
from sm_platform.defs.talk import Say


@home_explained()
def prepare_command(say: Say) -> None:
    """Make the databases, set the limits of the pools from the environment, tell them."""
    check_environment()
    wanted = pools.wanted_limits()
    with open_instance() as instance:
        pools.set_limits(instance, wanted)
        home = instance.root_directory
    told = ", ".join(f"{name} {slots}" for name, slots in sorted(wanted.items()))
    say(f"{home} is ready: {run_limits().runs} runs; steps by pool: {told}")
