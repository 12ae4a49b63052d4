"""What holds for all tests: an example that hypothesis makes may take as long as a busy machine takes for it."""

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
