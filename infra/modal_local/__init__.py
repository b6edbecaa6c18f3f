"""Modal's control plane on this machine; not emulated: image builds, GPUs, limits on CPU and memory, networking.

The unmodified `modal` command and library talk to it as they talk to Modal, and every input runs in a container process
of its own. What a function asked for and does not get here is recorded and shown.
"""

WRITTEN_FOR = "1.6.4"  # the release of the modal package whose protocol this speaks
NOT_EMULATED = "not emulated here: image builds, GPUs, limits on CPU and memory, networking"
