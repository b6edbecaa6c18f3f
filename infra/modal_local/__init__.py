"""A control plane for Modal on this machine. It does not emulate image builds, GPUs, CPU and memory limits, networking.

The unmodified `modal` command and library talk to it as they talk to Modal's cloud, and every container is a separate
process. What a function asks for and does not get here is recorded and shown.
"""

WRITTEN_FOR = "1.6.4"  # the release of the modal package whose protocol this speaks
NOT_EMULATED = "not emulated here: image builds, GPUs, limits on CPU and memory, networking"
