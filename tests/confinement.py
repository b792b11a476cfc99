"""What a container of a pod may do, imposed on a process of this machine without an engine.

Namespaces of users and mounts need no right on most Linux machines. Where none can be made, a
command runs as it is, and `tests/install/test_confinement.py` is skipped and says so.
"""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

READ_ONLY = """
set -eu
writable=$1; shift
IFS=:
for place in $writable; do mount --bind "$place" "$place"; done
unset IFS
while read -r _ _ _ _ point options _; do
  case ":$writable:" in *":$point:"*) continue ;; esac
  case $point in /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) continue ;; esac
  case $options in rw*) mount -o "remount,bind,ro${options#rw}" "$point" ;; esac
done < /proc/self/mountinfo
exec "$@"
"""
"""Makes all that is mounted read-only but for the places in $1, and the devices of the kernel."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Who a container runs as, without privileges, and where alone it may write."""

    user: int
    group: int
    writable: tuple[str, ...]

    @classmethod
    def of(cls, pod: Document) -> Self:
        """Return what a pod of one container asks for, which is as little as can be."""
        [container] = pod["containers"]
        context = {**pod["securityContext"], **container["securityContext"]}
        assert context["runAsNonRoot"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        mounts = container["volumeMounts"]
        writable = [each["mountPath"] for each in mounts if not each.get("readOnly")]
        return cls(context["runAsUser"], context["runAsGroup"], tuple(writable))


@cache
def confined(limits: Limits) -> tuple[str, ...]:
    """Return what makes a command run so; nothing, where namespaces cannot be made."""
    unshare, setpriv, shell = map(shutil.which, ("unshare", "setpriv", "sh"))
    if unshare is None or setpriv is None or shell is None:
        return ()
    mounted = (unshare, "--user", "--map-root-user", "--mount")
    read_only = (shell, "-c", READ_ONLY, "confined", ":".join(limits.writable))
    other = (unshare, "--user", f"--map-user={limits.user}", f"--map-group={limits.group}")
    prefix = (*mounted, *read_only, *other, setpriv, "--no-new-privs")
    ran = subprocess.run([*prefix, "true"], check=False)  # noqa: S603  those of the PATH
    return prefix if ran.returncode == 0 else ()
