# Settings of Hypothesis for the tests of the OpenAPI documents.
# SPDX-License-Identifier: GPL-2.0-or-later
from hypothesis import HealthCheck, Phase, settings

# Without the phase that optimises: some versions of Hypothesis end it with an IndexError of their own.
settings.register_profile("asu", phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
settings.load_profile("asu")
