"""The alarms of vaults and second copies, kept until they are asked again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.model.told import Topic
from orchestrator.model.vault_alert import Alarm, VaultAlert, alert_of, document
from orchestrator.protect.vault_view import Survey

if TYPE_CHECKING:
    from orchestrator.store.repository import Store


def keep_alarms(
    store: "Store",
    surveys: Iterable[Survey],
    gone: Sequence[VaultAlert],
    copies: Mapping[tuple[str, str], Sequence[VaultAlert]],
) -> None:
    """Keep what vaults and hosts of second copies said; of those that said nothing, what is known.

    ``gone`` are backups that vaults have no more; ``copies`` is by (host, vault). Of clients and
    vaults that were not asked about, what is known stays.
    """
    for survey in surveys:
        known = _known(store, survey.vault, Topic.VAULT)
        stays = [one for one in known if _stays(one, survey)]
        mine = [one for one in gone if one.vault == survey.vault]
        _keep(store, survey.vault, Topic.VAULT, [*survey.alerts, *mine, *stays])
    for host in {host for host, _vault in copies}:
        known = _known(store, host, Topic.COPY)
        stays = [one for one in known if (host, one.client) not in copies]
        said = [one for (each, _vault), told in copies.items() if each == host for one in told]
        _keep(store, host, Topic.COPY, [*said, *stays])


def _stays(alert: VaultAlert, survey: Survey) -> bool:
    return alert.alert is Alarm.VANISHED and alert.client not in survey.lacks


def _known(store: "Store", host: str, topic: Topic) -> list[VaultAlert]:
    told = store.answers(topic, [host])
    return [alert_of(one) for each in told for one in each.answer["alerts"]]


def _keep(store: "Store", host: str, topic: Topic, alerts: Iterable[VaultAlert]) -> None:
    store.save_answer(host, topic, {"alerts": [document(one) for one in alerts]})
