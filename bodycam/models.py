"""Every slice's tables in one place, for migrations and tests; nothing else imports this."""

from bodycam.backup import models as backup
from bodycam.cases import models as cases
from bodycam.coverage import models as coverage
from bodycam.custody import models as custody
from bodycam.db import Base
from bodycam.fixity import models as fixity
from bodycam.fleet import models as fleet
from bodycam.intake import models as intake
from bodycam.jobs import models as jobs
from bodycam.packages import models as packages
from bodycam.people import models as people
from bodycam.petitions import models as petitions
from bodycam.recordings import models as recordings
from bodycam.retention import models as retention
from bodycam.verification import models as verification
from bodycam.wipes import models as wipes

__all__ = [
    "Base",
    "backup",
    "cases",
    "coverage",
    "custody",
    "fixity",
    "fleet",
    "intake",
    "jobs",
    "packages",
    "people",
    "petitions",
    "recordings",
    "retention",
    "verification",
    "wipes",
]
