"""Calls the command line of Cloud Custodian in this process, and prints the result as one line of JSON.

The arguments are those of the command `custodian`. The log of Custodian goes to standard error.
"""

import json
import resource
import sys
import time

BEGAN = time.monotonic()


def peak_rss():
    """Returns the peak RSS of this process in bytes.

    On Linux, ru_maxrss also includes the memory of the parent process, so it is only the fallback for systems without VmHWM.
    """
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def run_command():
    """Returns the exit code of the command."""
    from c7n.cli import main
    from c7n_huaweicloud.entry import initialize_huaweicloud

    # The release of c7n on PyPI loads only the providers in its own list, and this list lacks Huawei Cloud.
    initialize_huaweicloud()
    try:
        main(sys.argv[1:])
    except SystemExit as exit:
        return exit.code or 0
    return 0


code = run_command()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "exit": code,
            "seconds": time.monotonic() - BEGAN,
            "rssPeak": peak_rss(),
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "python": sys.version.split()[0],
        }
    )
)
