"""Every fault, in the order of the table."""

from __future__ import annotations

from tests.chaos import faults as faults, faults_people as faults_people
from tests.chaos.fault import FAULTS as FAULTS
