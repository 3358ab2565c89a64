"""Words that name a place: a company that bears one more of them is often another one of the same group. Countries, and what they are called in
company names; the large cities and provinces that lists and registers are full of."""

from typing import Final

_TOWNS: Final = (
    "afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas bahrain bangladesh barbados belarus belgium"
    " belgique belize benin bermuda bhutan bolivia bosnia herzegovina botswana brasil brazil britain brunei bulgaria burkina burundi cambodia"
    " cameroon canada cayman chad chile china colombia comoros congo croatia cuba curacao cyprus czech czechia denmark deutschland djibouti"
    " ecuador egypt emirates england eritrea espana estonia eswatini ethiopia fiji finland france gabon gambia georgia germany ghana gibraltar"
    " greece greenland grenada guatemala guernsey guinea guyana haiti holland honduras hungary iceland india indonesia iran iraq ireland israel"
    " italia italy ivoire jamaica japan jersey jordan kazakhstan kenya korea kosovo kuwait kyrgyzstan laos lanka latvia lebanon lesotho liberia"
    " libya liechtenstein lithuania luxembourg macau macao macedonia madagascar malawi malaysia maldives mali malta marshall mauritania mauritius"
    " mexico moldova monaco mongolia montenegro morocco mozambique myanmar burma namibia nauru nederland nepal netherlands nicaragua niger nigeria"
    " norway oman osterreich pakistan palestine panama paraguay peru philippines poland polska portugal qatar romania rossiya russia rwanda samoa"
    " saudi arabia schweiz scotland senegal serbia seychelles singapore slovakia slovenia somalia spain sudan suisse suriname sweden switzerland"
    " syria taiwan tajikistan tanzania thailand togo tunisia turkey turkiye turkmenistan uganda uk ukraine uruguay us usa uzbekistan vanuatu"
    " venezuela vietnam wales yemen zambia zimbabwe zealand"
    " amsterdam ankara athens atlanta baghdad baku bangkok barcelona beijing beirut belgrade berlin bogota boston brussels bucharest budapest"
    " cairo caracas chengdu chicago chongqing copenhagen dalian damascus dandong delhi dhaka doha dongguan dubai dublin florida frankfurt fujian"
    " geneva guangdong guangzhou hamburg hangzhou hanoi harbin havana hebei helsinki henan hong hongkong houston hubei hunan istanbul jakarta"
    " jiangsu johannesburg kabul karachi khartoum kiev kong kowloon krasnodar kyiv lagos lahore lima lisbon london madrid managua manila"
    " melbourne miami milan minsk montreal moscow moskva mumbai munich nairobi nanjing ningbo novosibirsk osaka oslo paris peshawar petersburg"
    " prague pyongyang qingdao quito riga riyadh rome rotterdam samara seoul shandong shanghai sharjah shenzhen sibir siberia sichuan sofia spb"
    " stockholm sydney tallinn tashkent tehran texas tianjin tokyo toronto tripoli tunis ural vienna vilnius vladivostok warsaw wuhan xiamen"
    " xinjiang yerevan york yunnan zagreb zhejiang zurich"
)

_REGIONS: Final = (
    "africa america americas asia asian europe european eurasia africaine african latin caribbean balkans gulf mena apac emea nordic"
    " east west north south eastern western northern southern central"
)

TOWNS: Final = frozenset(_TOWNS.split())
PLACES: Final = TOWNS | frozenset(_REGIONS.split())  # and parts of the world, which companies add to a name as they do `international`
