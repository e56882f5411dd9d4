"""Checks documents (KIND@SITE) against the schemas of their kinds; says every fault."""

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from jsonschema import validators
from referencing import Registry, Resource

SIRI = "{http://www.siri.org.uk/siri}"


def validator(schemas, name):
    schema = json.loads((schemas / name).read_text())
    common = json.loads((schemas / "ngsi-common.cut.json").read_text())
    registry = Registry().with_resource(common["$id"], Resource.from_contents(common))
    kind = validators.validator_for(schema)
    return kind(schema, registry=registry, format_checker=kind.FORMAT_CHECKER)


def checkers(schemas):
    """For each kind of document: what gives its faults."""

    def whole(name):
        check = validator(schemas, name)
        return lambda text: check.iter_errors(json.loads(text))

    site = validator(schemas, "OffStreetParking.schema.json")
    group = validator(schemas, "ParkingGroup.schema.json")

    def entities(text):
        for entity in json.loads(text):
            check = site if entity["type"] == "OffStreetParking" else group
            yield from check.iter_errors(entity)

    return {
        "datex2-parking-light": whole("datex2-parking-light.schema.json"),
        "datex2-parking-light+levels": whole("datex2-parking-light.schema.json"),
        "parkapi-v1": whole("parkapi-v1.schema.json"),
        "parkapi-v3-push": whole("parkapi-v3-push.schema.json"),
        "ha-mqtt-discovery": whole("ha-mqtt-discovery.schema.json"),
        "cloudevents": whole("cloudevents.schema.json"),
        "ngsi-keyvalues": entities,
        "siri-fm": siri,
    }


def siri(text):
    """The conditions under which a journey planner reads a facility."""
    root = ElementTree.fromstring(text)
    delivery = root.find(f"{SIRI}ServiceDelivery/{SIRI}FacilityMonitoringDelivery")
    for condition in delivery.findall(f"{SIRI}FacilityCondition"):
        names = [child.tag.removeprefix(SIRI) for child in condition]
        if names != ["FacilityRef", "FacilityStatus", "MonitoredCounting"]:
            yield f"the elements are {names}"
        counting = condition.find(f"{SIRI}MonitoredCounting")
        fields = {child.tag.removeprefix(SIRI): child.text for child in counting}
        if fields.get("CountingType") != "presentCount" or fields.get("CountedFeatureUnit") != "bays":
            yield f"the counting is {fields}"
        if not (fields.get("Count") or "").isdecimal():
            yield f"Count is {fields.get('Count')}"
        if not (condition.findtext(f"{SIRI}FacilityRef") or "").strip():
            yield "FacilityRef is empty"


def main():
    documents, schemas = Path(sys.argv[1]), Path(sys.argv[2])
    checks = checkers(schemas)
    checked, faults = Counter(), 0
    for path in sorted(documents.iterdir()):
        kind = path.name.split("@")[0]
        text = path.read_text(encoding="utf-8")
        if kind not in checks:
            json.loads(text)
            continue
        checked[kind] += 1
        for fault in checks[kind](text):
            faults += 1
            place = "/".join(map(str, getattr(fault, "absolute_path", [])))
            print(f"{path.name}: {place}: {getattr(fault, 'message', fault)}")
    missing = set(checks) - set(checked)
    print(f"{sum(checked.values())} documents of {len(checked)} kinds, {faults} faults")
    sys.exit(1 if faults or missing else 0)


main()
