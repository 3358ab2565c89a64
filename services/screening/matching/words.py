"""What is known about words before any list is seen: legal forms and how common the words of company names are.

Frequencies are orders of magnitude of what company registers and lists show in several languages, not fitted to any of them.
"""

from typing import Final

# Words that are a legal form by themselves and that rigour leaves alone, and the canonical form of each.
OWN_FORMS: Final[dict[str, str]] = {
    "co": "co", "company": "co", "companies": "co", "corp": "corp", "corporation": "corp", "cia": "co", "cie": "co",
    "compania": "co", "compagnie": "co", "kompaniya": "co", "kompania": "co", "pte": "pte", "pvt": "pvt", "private": "pvt",
    "pty": "pty", "est": "est", "establishment": "est", "fzc": "fzco", "too": "llc", "sal": "sal", "nao": "jsc",
    "fsue": "fsue", "fgup": "fsue", "anonim": "as", "sti": "ltd", "ltda": "ltd", "lc": "llc", "mchj": "llc", "sapi": "sa",
    "rl": "rl", "cv": "cv", "pc": "pc", "bhd": "bhd", "sdn": "sdn", "pt": "pt", "tbk": "tbk",
}  # fmt: skip

# rigour's comparison form -> ours, where ours says more forms are one: OOO is LLC, AO is JSC.
SAME_FORM: Final[dict[str, str]] = {
    "ooo": "llc", "ao": "jsc", "oao": "ojsc", "zao": "cjsc", "pao": "pjsc", "coltd": "co ltd", "gmbhcokg": "gmbh co kg",
    "sacv": "sa cv", "srlcv": "srl cv", "sapicv": "sa cv",
}  # fmt: skip

# Legal forms that rigour knows without a class, word by word.
OWN_PHRASES: Final[dict[tuple[str, ...], str]] = {
    ("federal", "state", "unitary", "enterprise"): "fsue", ("state", "unitary", "enterprise"): "sue",
    ("unitary", "enterprise"): "ue", ("anonim", "sirketi"): "as", ("limited", "sirketi"): "ltd",
    ("free", "zone", "establishment"): "fze", ("free", "zone", "company"): "fzco",
}  # fmt: skip

# Legal words that are ordinary words by themselves: one is meant, though misspelt, where one of its neighbours stands beside it.
SPELT_BESIDE: Final[dict[str, tuple[str, ...]]] = {
    "joint": ("stock",), "stock": ("joint", "company"), "private": ("limited", "joint"), "public": ("joint", "limited"),
    "open": ("joint",), "closed": ("joint",), "federal": ("state",), "state": ("federal", "unitary"),
    "unitary": ("enterprise", "state"), "enterprise": ("unitary",), "anonim": ("sirketi",),
}  # fmt: skip

# Legal forms of two letters that rigour may recognise anywhere; its others (in, im, is, et, na ...) are words of names, too.
SHORT_FORMS: Final = frozenset(("ao", "ag", "sa", "as", "ab", "ad", "bv", "nv", "kg", "oy", "lp", "ek", "ou"))

# One legal word in a spelling error or two is still that word: only long words that are nothing else.
SPELT_FORMS: Final = (
    "limited", "liability", "company", "corporation", "incorporated", "partnership", "limitada", "sociedad", "anonima",
    "sirketi", "obshchestvo", "aktsionernoe", "ogranichennoi", "otvetstvennostyu", "publichnoe", "otkrytoe", "zakrytoe",
    "societatea", "raspundere", "limitata", "responsabilidad", "gesellschaft", "aktiengesellschaft", "haftung",
)  # fmt: skip

# Words that are found glued to the word before or after them ("Foxwhelplimited", "LLCsecurity", "Niletelgroup"): none that names end in
# by themselves, as Bancorp and Beteiligungsgesellschaft do.
GLUED_FORMS: Final = (
    "limited", "company", "corporation", "incorporated", "limitada", "sirketi", "ltd", "ltda", "llc", "llp", "gmbh", "jsc",
    "plc", "ooo", "ogranichennoi", "group", "holding", "holdings", "trading", "international",
)  # fmt: skip
GLUED_ENDS: Final = (*GLUED_FORMS, "inc")  # income and incubators begin by themselves
SHORTEST_BESIDE_FORM: Final = 3  # letters that must be left: unlimited and accompany are words

# 有限公司 and its kin stand unparted at the end of a Chinese name.
CHINESE_FORMS: Final = (
    ("股份有限公司", " co ltd "), ("有限责任公司", " co ltd "), ("有限責任公司", " co ltd "), ("有限公司", " co ltd "),
    ("集团", " group "), ("集團", " group "), ("公司", " co "),
)  # fmt: skip

# Of 1,000 names so many bear each of these words.
COMMON: Final[tuple[tuple[float, str], ...]] = (
    (30, "and of the de al trading international group"),
    (
        10,
        "for in la el del e y i s a global holding holdings industries industrial industry services service technology"
        " technologies trade general bank capital development management investment investments energy shipping engineering"
        " import export enterprise enterprises national new first united fund trust financial systems solutions"
        " construction oil gas textile garment garments ve und et dan van der den des du da do dos das sanayi ticaret",
    ),
    (
        3,
        "commercial comercial commerce electronics electronic electric electrical electron chemical chemicals petrochemical"
        " petroleum mining metal metals steel machinery machine mechanical equipment materials products production"
        " manufacturing factory plant works mill mills logistics transport transportation freight cargo marine maritime"
        " sea ocean lines line air aviation airlines airways aircraft aero auto automotive motor motors tech digital data"
        " information network networks communications telecom media design research scientific science sciences institute"
        " center centre central bureau office organization association society committee foundation charity charitable"
        " relief state federal public republic ministry department agency university academy school medical pharma"
        " pharmaceutical pharmaceuticals health healthcare bio food foods agro agricultural farm farms water power"
        " nuclear solar real estate property properties realty building insurance finance credit money exchange invest"
        " securities partners brothers sons world universal asia asian europe european africa african america american east"
        " west north south eastern western northern southern pacific atlantic middle gulf china chinese india indian iran"
        " 1 2 3 4 5 6 7 8 9 iranian russia russian turkey korea japan vietnam bangladesh pakistan indonesia hong kong shanghai shenzhen"
        " guangdong zhejiang jiangsu beijing ningbo dubai london moscow york california star golden gold silver blue green"
        " red black white royal grand great best sun sky city house home life quality security defense military special"
        " army consulting consultants business project projects resources resource minerals apparel fashion knitting"
        " knitwear clothing leather shoes footwear acquisition income supply supplies distribution wholesale retail"
        " market markets store packaging plastic plastics paper print printing cement ceramics glass rubber furniture"
        " wood sports travel tours hotel hotels islamic grupo grupp gruppa zavod tsentr institut nauchno predpriyatie"
        " comercializadora inmobiliaria inversiones servicios industria industrias comercio banco sistemy tekhnologii",
    ),
    (
        1,
        "alliance alpha omega delta sigma beta gamma nova orient oriental continental crown diamond pearl eagle lion tiger"
        " dragon falcon phoenix apollo atlas titan victory liberty union unity hope future vision smart modern advanced"
        " prime premier elite express direct dynamic innovation innovative creative classic standard perfect super top pro"
        " plus max one two three ii iii iv no old young high long big little river lake mountain valley hill rock stone"
        " bridge port ports harbour harbor bay island coast shipyard shipbuilding ship ships vessel tanker fishing fish"
        " meat rice sugar cotton silk wool yarn spinning weaving dyeing fabrics fabric denim embroidery toys tools hardware"
        " software computer computers semiconductor optical laser radio cable wire battery instruments instrument control"
        " precision safety environmental recycling renewable wind hydro thermal engine engines parts spare tyre tire truck"
        " vehicle vehicles rail railway road roads highway infrastructure contracting contractors maintenance repair"
        " laboratory laboratories labs hospital clinic dental care therapeutics biosciences diagnostics oncology municipal"
        " community bancorp bancshares asset equity opportunities strategic growth value dividend term total"
        " select core series brands entertainment education training publishing press news film music art arts"
        " culture cultural heritage movement party front council federation confederation club people peoples"
        " province district region regional malaysia singapore thailand taiwan philippines cambodia myanmar"
        " sri lanka nepal egypt syria syrian iraq iraqi lebanon yemen jordan saudi arabia arab emirates kuwait qatar oman"
        " libya sudan kenya nigeria ghana congo zimbabwe uganda ethiopia mexico colombia venezuela brazil argentina chile"
        " peru panama cuba cubana germany german france french italy italian spain britain british england english swiss"
        " belarus ukraine kazakhstan uzbekistan armenia georgia azerbaijan balkan serbia bosnia bulgaria romania poland"
        " saint san santa los las mohammad muhammad mohammed ahmad ahmed ali hassan hussein ibn abu bin abd",
    ),
)
# Words that alone name nobody.
STOP_WORDS: Final = frozenset((
    "and", "of", "the", "de", "for", "in", "la", "el", "del", "e", "y", "i", "s", "a", "al", "ve", "und", "et", "du", "da",
    "do",
))  # fmt: skip
