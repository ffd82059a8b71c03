"""Images as ApplicationEnvironments, with what is said of them by those who endorse them."""

from collections.abc import Iterator

from infoprovider.glue.document import Made
from infoprovider.glue.entities import ApplicationEnvironment
from infoprovider.inventory.model import Endorsement, Image
from infoprovider.mapping.context import SLOW, InstanceFacts, note_age
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.vocabulary import platform


def map_applications(facts: InstanceFacts) -> Iterator[Made]:
    """The images of one instance that may be published."""
    for image in facts.published_images:
        yield to_application(facts, image)


def to_application(facts: InstanceFacts, image: Image) -> Made:
    """One image; its native id is the Name, with which machines are started."""
    assert facts.images is not None  # noqa: S101  (where there is an image there is the facet)
    defining = facts.images.source
    endorsement = endorsement_of(facts, image)
    entity = ApplicationEnvironment(
        id=facts.ids.of("ApplicationEnvironment", image.id),
        name=image.id,
        # A user may give an image an empty name, and GLUE demands one.
        app_name=image.name or image.id,
        app_version=image.version,
        repository=image.marketplace_uri,
        state=_state(facts, image, endorsement),
        removal_date=endorsement.expires_at if endorsement else None,
        license=image.license,
        description=image.description,
        computing_manager_foreign_key=facts.manager_id,
        execution_environment_foreign_key=tuple(facts.type_ids[one.id] for one in facts.fitting_types[image.id]),
        other_info=_image_info(facts, image, endorsement),
        creation_time=defining.observed_at,
        validity=SLOW,
    )
    others = (facts.endorsements, facts.instance_types, facts.hypervisors, facts.manager)
    return Made(entity, facts.sources(defining, *others))


def endorsement_of(facts: InstanceFacts, image: Image) -> Endorsement | None:
    """What is said of an image, joined by marketplace URI, by native id, or by a checksum that both know.

    What was said of a file with another digest was not said of this image. Whoever uploads an image may write any
    marketplace URI into it: without a digest that both know, its state says that the endorsement is not verified.
    """
    for identifier in filter(None, (image.marketplace_uri, image.id)):
        found = facts.endorsements_by_identifier.get(identifier)
        if found is not None and not _is_of_another_file(found, image):
            return found
    for checksum in image.checksums:
        if checksum in facts.endorsements_by_checksum:
            return facts.endorsements_by_checksum[checksum]
    return None


def _is_of_another_file(endorsement: Endorsement, image: Image) -> bool:
    stated = endorsement.checksum
    comparable = [one for one in image.checksums if stated is not None and one.algorithm == stated.algorithm]
    return bool(comparable) and stated not in comparable


def is_refused(facts: InstanceFacts, image: Image) -> bool:
    """Whether the centre no longer starts an image: its endorsement has ended, and expiry is honoured."""
    if facts.trust is None or not facts.trust.value.honours_expiry:
        return False
    endorsement = endorsement_of(facts, image)
    return endorsement is not None and _has_ended(facts, endorsement)


def _has_ended(facts: InstanceFacts, endorsement: Endorsement) -> bool:
    expires = endorsement.expires_at
    return endorsement.revoked or (expires is not None and expires <= facts.context.now)


def _state(facts: InstanceFacts, image: Image, endorsement: Endorsement | None) -> str | None:
    """GLUE's AppEnvState: nothing is said where nobody was asked about endorsements."""
    if facts.endorsements is None:
        return None
    if endorsement is None:
        return "installednotverified"
    if _has_ended(facts, endorsement):
        return "pendingremoval"
    return "installedverified" if endorsement.checksum in image.checksums else "installednotverified"


def _image_info(facts: InstanceFacts, image: Image, endorsement: Endorsement | None) -> tuple[str, ...]:
    assert facts.images is not None  # noqa: S101
    units = facts.context.units
    info = OtherInfo("ApplicationEnvironment")
    info.add("Image.Format", image.disk_format)
    info.add("Image.Size", None if image.size_mib is None else units.disk(image.size_mib / 1024))
    info.add("Image.Platform", platform(image.architecture) if image.architecture else None)
    info.add("Image.OSFamily", image.operating_system.family)
    info.add("Image.OSName", image.operating_system.name)
    info.add("Image.OSVersion", image.operating_system.version)
    info.add("Image.MinCPU", image.min_vcpus)
    info.add("Image.MinRAM", units.memory(image.min_memory_mib))
    info.add("Image.MinDisk", units.disk(image.min_disk_gib))
    info.add("Image.Contextualization", image.contextualization)
    for checksum in image.checksums:
        info.add(f"Image.Checksum.{checksum.algorithm.upper()}", checksum.value)
    if endorsement is not None and facts.endorsements is not None:
        info.add("Image.Endorser", endorsement.endorser)
        info.add("Image.ImageList", endorsement.image_list)
        info.add("Image.Expiry", endorsement.expires_at)
        note_age(info, "Image.Endorser.ObservedAt", facts.endorsements, facts.images.source, SLOW)
    return info.values()
