"""What can go wrong in the playground, said so that a person knows what to do next."""


class PlaygroundError(Exception):
    """Something that the playground needs is missing or failed; the message is for people."""


class BinariesUnavailableError(PlaygroundError):
    """Neither kube-apiserver nor etcd could be found, downloaded or built."""


class ProcessDiedError(PlaygroundError):
    """A process ended though it was still needed; the message ends with the tail of its log."""


class NotInTimeError(PlaygroundError, TimeoutError):
    """What was waited for did not come about in the time allowed."""
