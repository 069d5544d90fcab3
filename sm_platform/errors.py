"""The family of errors; each message names the thing, the place and the next step."""


class SmPlatformError(Exception):
    """The root: whatever the platform refuses to do, said in one sentence for a person."""


class UsageError(SmPlatformError):
    """Wrong use: an unknown name, an end before its start, an impossible option (exit code 2)."""


class DataError(SmPlatformError):
    """Wrong or missing data: something stored or brought cannot be used (exit code 1)."""


class GridError(SmPlatformError):
    """A window, cell or coordinate outside what its grid allows."""


class RecipeError(UsageError):
    """An unknown recipe, or rows and a checkpoint of different recipes."""


class GranuleError(DataError):
    """A provider's file is damaged or not what it says; it is to be set aside, the rest goes on."""


class SourceError(DataError):
    """A source cannot list or hand over a granule."""


class PassingError(SourceError):
    """A source did not answer as it should this time: the same request may succeed later.

    Time-outs, too many requests, errors of the server, half a file; not a granule that is wrong.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """How long the provider asks to wait; None when it does not say."""


class DeniedError(PassingError):
    """A service did not take our credentials: once a person has mended them it may answer."""


class BudgetError(PassingError):
    """The month's budget of a service is spent: next month, or with a larger one, it goes on."""


class LakeError(DataError):
    """The lake cannot be read or written, or a table breaks its contract."""


class MissingInputError(DataError):
    """An earlier step has not been run for this region and day."""


class CheckpointError(DataError):
    """A checkpoint is absent, incomplete, changed, or holds what must not be loaded."""


class ProductError(DataError):
    """A map breaks the product's own rules, or the asked-for map does not exist."""
