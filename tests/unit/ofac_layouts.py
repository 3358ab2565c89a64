"""The same three entries in OFAC's three layouts, made up: what is told must not depend on the layout."""

CSV = {
    "primary": (
        '306,"CROW, Arlo Ben","individual","SDGT] [IRGC","Minister",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 15 Jan 1955; alt. DOB Aug 1960; alt. DOB circa 1951; '
        "alt. DOB 1951 to 1953; POB Najaf, Iraq; nationality Iran; citizen Iraq; Gender Male; Passport A 123 (Iran); National ID No. 77-1; a.k.a. 'BIRD'.\"\r\n"
        '307,"STONE MILLS",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"Digital Currency Address - XBT 1BoatSLRHtKNngkdXEeobR76b53LETtpyT."\r\n'
        '308,"NORTHERN GULL","vessel","SYRIA",-0- ,"ABCD7","Crude Oil Tanker","9,000","12,000","Panama","GULL CO","Vessel Registration Identification '
        'IMO 9876543."\r\n'
    ),
    "aliases": '306,1,"aka","CROWE, Arlo",-0- \r\n307,2,"fka","OLD MILLS",-0- \r\n',
    "addresses": '306,1,"1 Hill, Floor 2","Miami, FL 33172","United States",-0- \r\n307,2,-0- ,"Zurich CH-8022","Switzerland",-0- \r\n',
}

PLAIN = """<?xml version="1.0" standalone="yes"?>
<sdnList xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="NAMESPACE">
<publshInformation><Publish_Date>11/26/2026</Publish_Date><Record_Count>3</Record_Count></publshInformation>
<sdnEntry><uid>306</uid><firstName>Arlo Ben</firstName><lastName>CROW</lastName><title>Minister</title><sdnType>Individual</sdnType>
<programList><program>SDGT</program><program>IRGC</program></programList>
<idList><id><uid>1</uid><idType>Passport</idType><idNumber>A 123</idNumber><idCountry>Iran</idCountry><issueDate>14 Nov 2007</issueDate></id>
<id><uid>2</uid><idType>National ID No.</idType><idNumber>77-1</idNumber></id><id><uid>3</uid><idType>Gender</idType><idNumber>Male</idNumber></id></idList>
<akaList><aka><uid>4</uid><type>a.k.a.</type><category>strong</category><lastName>CROWE</lastName><firstName>Arlo</firstName></aka>
<aka><uid>5</uid><type>a.k.a.</type><category>weak</category><lastName>BIRD</lastName></aka></akaList>
<addressList><address><uid>6</uid><address1>1 Hill</address1><address2>Floor 2</address2><city>Miami</city><stateOrProvince>FL</stateOrProvince>
<postalCode>33172</postalCode><country>United States</country></address></addressList>
<nationalityList><nationality><uid>7</uid><country>Iran</country><mainEntry>true</mainEntry></nationality></nationalityList>
<citizenshipList><citizenship><uid>8</uid><country>Iraq</country><mainEntry>true</mainEntry></citizenship></citizenshipList>
<dateOfBirthList><dateOfBirthItem><uid>9</uid><dateOfBirth>15 Jan 1955</dateOfBirth><mainEntry>true</mainEntry></dateOfBirthItem>
<dateOfBirthItem><dateOfBirth>Aug 1960</dateOfBirth></dateOfBirthItem><dateOfBirthItem><dateOfBirth>circa 1951</dateOfBirth></dateOfBirthItem>
<dateOfBirthItem><dateOfBirth>1951 to 1953</dateOfBirth></dateOfBirthItem></dateOfBirthList>
<placeOfBirthList><placeOfBirthItem><placeOfBirth>Najaf, Iraq</placeOfBirth></placeOfBirthItem></placeOfBirthList></sdnEntry>
<sdnEntry><uid>307</uid><lastName>STONE MILLS</lastName><sdnType>Entity</sdnType><programList><program>CUBA</program></programList>
<idList><id><idType>Digital Currency Address - XBT</idType><idNumber>1BoatSLRHtKNngkdXEeobR76b53LETtpyT</idNumber></id></idList>
<akaList><aka><type>f.k.a.</type><category>strong</category><lastName>OLD MILLS</lastName></aka></akaList>
<addressList><address><city>Zurich</city><postalCode>CH-8022</postalCode><country>Switzerland</country></address></addressList></sdnEntry>
<sdnEntry><uid>308</uid><lastName>NORTHERN GULL</lastName><sdnType>Vessel</sdnType><programList><program>SYRIA</program></programList>
<idList><id><idType>Vessel Registration Identification</idType><idNumber>IMO 9876543</idNumber></id></idList>
<vesselInfo><callSign>ABCD7</callSign><vesselType>Crude Oil Tanker</vesselType><vesselFlag>Panama</vesselFlag><vesselOwner>GULL CO</vesselOwner>
<tonnage>9,000</tonnage><grossRegisteredTonnage>12,000</grossRegisteredTonnage></vesselInfo></sdnEntry>
</sdnList>"""


def _set(kind: str, **values: str) -> str:
    return f"<{kind}Values>" + "".join(f'<{kind} ID="{number[1:]}">{text}</{kind}>' for number, text in values.items()) + f"</{kind}Values>"


def name(number: int, *parts: tuple[int, str], kind: int = 1403, primary: str = "false", weak: str = "false") -> str:
    values = "".join(
        f'<DocumentedNamePart><NamePartValue NamePartGroupID="{g}">{text}</NamePartValue></DocumentedNamePart>' for g, text in parts
    )
    alias = f'<Alias FixedRef="1" AliasTypeID="{kind}" Primary="{primary}" LowQuality="{weak}">'
    return f'{alias}<DocumentedName ID="{number}" DocNameStatusID="1">{values}</DocumentedName></Alias>'


def _day(name: str, day: str) -> str:
    year, month, of_month = (int(part) for part in day.split("-"))
    return f"<{name}><Year>{year}</Year><Month>{month}</Month><Day>{of_month}</Day></{name}>"


def born(*days: str, approximate: str = "false") -> str:
    """A birth date from the four days of a period."""
    a, b, c, d = days
    start = f'<Start Approximate="{approximate}">{_day("From", a)}{_day("To", b)}</Start>'
    end = f'<End Approximate="{approximate}">{_day("From", c)}{_day("To", d)}</End>'
    return feature(8, f'<DatePeriod CalendarTypeID="1">{start}{end}</DatePeriod>')


def feature(kind: int, inside: str) -> str:
    return f'<Feature ID="1" FeatureTypeID="{kind}"><FeatureVersion ID="2" ReliabilityID="1"><Comment/>{inside}</FeatureVersion></Feature>'


def place(number: int) -> str:
    return f'<VersionLocation LocationID="{number}"/>'


def detail(text: str) -> str:
    return f'<VersionDetail DetailTypeID="1432">{text}</VersionDetail>'


def _location(number: int, country: int = 0, **parts: str) -> str:
    land = f'<LocationCountry CountryID="{country}" CountryRelevanceID="1413"/>' if country else ""
    values = "".join(
        f'<LocationPart LocPartTypeID="{kind[1:]}"><LocationPartValue Primary="false"><Value>别</Value></LocationPartValue>'
        f'<LocationPartValue Primary="true"><Comment/><Value>{text}</Value></LocationPartValue></LocationPart>'
        for kind, text in parts.items()
    )
    return f'<Location ID="{number}">{land}{values}</Location>'


def _document(number: int, kind: int, identity: int, value: str, country: str = "") -> str:
    by = f' IssuedBy-CountryID="{country}"' if country else ""
    opening = f'<IDRegDocument ID="{number}" IDRegDocTypeID="{kind}" IdentityID="{identity}"{by} ValidityID="1">'
    return f"{opening}<Comment/><IDRegistrationNo>{value}</IDRegistrationNo><IssuingAuthority/></IDRegDocument>"


def _listed(profile: int, day: str, *programs: str) -> str:
    measures = "".join(f'<SanctionsMeasure SanctionsTypeID="1"><Comment>{word}</Comment></SanctionsMeasure>' for word in programs)
    block = '<SanctionsMeasure SanctionsTypeID="1705"><Comment/></SanctionsMeasure>'
    event = f'<EntryEvent EntryEventTypeID="1" LegalBasisID="1">{_day("Date", day)}<Comment/></EntryEvent>'
    return f'<SanctionsEntry ID="{profile}" ProfileID="{profile}" ListID="1550">{event}{block}{measures}</SanctionsEntry>'


def groups(**kinds: int) -> str:
    inside = "".join(
        f'<MasterNamePartGroup><NamePartGroup ID="{n[1:]}" NamePartTypeID="{kind}"/></MasterNamePartGroup>' for n, kind in kinds.items()
    )
    return f"<NamePartGroups>{inside}</NamePartGroups>"


def party(uid: object, sub_type: int, identity: str, features: str = "") -> str:
    opening = f'<DistinctParty FixedRef="{uid}"><Comment/><Profile ID="{uid}" PartySubTypeID="{sub_type}">'
    return f'{opening}<Identity ID="9{uid}" FixedRef="{uid}" Primary="true" False="false">{identity}</Identity>{features}</Profile></DistinctParty>'


_SETS = (
    _set("AliasType", _1400="A.K.A.", _1401="F.K.A.", _1403="Name")
    + _set(
        "NamePartType",
        _1520="Last Name",
        _1521="First Name",
        _1525="Entity Name",
        _1526="Vessel Name",
        _91708="Patronymic",
        _91709="Matronymic",
    )
    + _set("Country", _11067="Iran", _11068="Iraq", _11072="United States", _11190="Switzerland", _11170="Panama")
    + _set("LocPartType", _1="Unknown", _1451="ADDRESS1", _1452="ADDRESS2", _1454="CITY", _1455="STATE/PROVINCE", _1456="POSTAL CODE")
    + _set(
        "FeatureType",
        _8="Birthdate",
        _9="Place of Birth",
        _10="Nationality Country",
        _11="Citizenship Country",
        _25="Location",
        _224="Gender",
    )
    + _set("FeatureType", _26="Title", _344="Digital Currency Address - XBT", _2="VESSEL TYPE", _1="VESSEL CALL SIGN", _3="VESSEL FLAG")
    + _set("FeatureType", _4="VESSEL OWNER", _5="VESSEL TONNAGE", _6="VESSEL GROSS REGISTERED TONNAGE")
    + _set("DetailReference", _91526="Male")
    + _set("IDRegDocType", _1571="Passport", _1584="National ID No.", _1626="Vessel Registration Identification")
    + _set("SanctionsType", _1="Program", _1705="Block")
    + '<PartySubTypeValues><PartySubType ID="1" PartyTypeID="4">Vessel</PartySubType><PartySubType ID="3" PartyTypeID="2">Unknown</PartySubType>'
    + '<PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType><PartySubType ID="7" PartyTypeID="9">Container</PartySubType></PartySubTypeValues>'
    + _set("PartyType", _1="Individual", _2="Entity", _4="Transport")
)
_PLACES = (
    _location(1, 11072, _1451="1 Hill", _1452="Floor 2", _1454="Miami", _1455="FL", _1456="33172"),
    _location(2, 11190, _1454="Zurich", _1456="CH-8022"),
    _location(3, _1="Iran"),
    _location(4, 11068),
    _location(5, 11170),
)
_PERSON_NAMES = (
    name(1, (81, "CROW"), (82, "Arlo Ben"), primary="true")
    + name(2, (81, "CROWE"), (82, "Arlo"), kind=1400)
    + name(3, (81, "BIRD"), kind=1400, weak="true")
    + groups(_81=1520, _82=1521)
)
_PERSON_FEATURES = (
    born("1955-01-15", "1955-01-15", "1955-01-15", "1955-01-15")
    + born("1960-08-01", "1960-08-01", "1960-08-31", "1960-08-31")
    + born("1951-01-01", "1951-01-01", "1951-12-31", "1951-12-31", approximate="true")
    + born("1951-01-01", "1951-12-31", "1953-01-01", "1953-12-31")
    + (
        feature(9, detail("Najaf, Iraq"))
        + feature(10, place(3))
        + feature(11, place(4))
        + feature(25, place(1))
        + feature(26, detail("Minister"))
    )
    + feature(224, '<VersionDetail DetailTypeID="1431" DetailReferenceID="91526"/>')
)
_VESSEL_FEATURES = (
    feature(1, detail("ABCD7")) + feature(2, detail("Crude Oil Tanker")) + feature(3, place(5)) + feature(4, detail("GULL CO"))
) + (feature(5, detail("9,000")) + feature(6, detail("12,000")))
PARTIES = (
    party(306, 4, _PERSON_NAMES, _PERSON_FEATURES),
    party(
        307,
        3,
        name(4, (83, "STONE MILLS"), primary="true") + name(5, (83, "OLD MILLS"), kind=1401) + groups(_83=1525),
        feature(344, detail("1BoatSLRHtKNngkdXEeobR76b53LETtpyT")) + feature(25, place(2)),
    ),
    party(308, 1, name(6, (84, "NORTHERN GULL"), primary="true") + groups(_84=1526), _VESSEL_FEATURES),
)
_DOCUMENTS = _document(1, 1571, 9306, "A 123", "11067") + _document(2, 1584, 9306, "77-1") + _document(3, 1626, 9308, "IMO 9876543")
_ENTRIES = _listed(306, "2001-02-03", "SDGT", "IRGC") + _listed(307, "2001-02-04", "CUBA") + _listed(308, "2001-02-05", "SYRIA")


def advanced(
    *parties: str, namespace: str = "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ADVANCED_XML"
) -> str:
    """The whole file; its parties are the three where none is given."""
    issued = '<DateOfIssue CalendarTypeID="1"><Year>2026</Year><Month>11</Month><Day>26</Day></DateOfIssue>'
    before = f"{issued}<ReferenceValueSets>{_SETS}</ReferenceValueSets><Locations>{''.join(_PLACES)}</Locations><IDRegDocuments>{_DOCUMENTS}</IDRegDocuments>"
    after = f"<ProfileRelationships/><SanctionsEntries>{_ENTRIES}</SanctionsEntries><SanctionsEntryLinks/>"
    inside = f"<DistinctParties>{''.join(parties or PARTIES)}</DistinctParties>"
    return f'<?xml version="1.0" encoding="utf-8"?><Sanctions xmlns="{namespace}" Version="3">{before}{inside}{after}</Sanctions>'


def plain(namespace: str = "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML") -> str:
    return PLAIN.replace("NAMESPACE", namespace)
