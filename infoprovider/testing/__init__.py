"""Contract checks for the authors of providers, publishers and messengers, for use in their tests.

    from infoprovider.testing import check_provider

    def test_the_contract() -> None:
        assert check_provider(SPEC, MySettings(url=fake_cloud.url)) == []

Each check runs the plug-in and returns every breach of its contract in plain words; nothing is returned where all is
well. The contracts are `infoprovider.providers.contract` and `infoprovider.publishers.contract`.
"""

from infoprovider.testing.messenger import check_messenger
from infoprovider.testing.provider import check_provider
from infoprovider.testing.publisher import check_publisher

__all__ = ["check_messenger", "check_provider", "check_publisher"]
