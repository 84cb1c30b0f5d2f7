"""Names for invented people, those that break systems among them. Nobody here exists."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


def pick(choices: "tuple[T, ...] | list[T]", *key: object) -> T:
    """The same choice for the same key, everywhere and always."""
    return choices[number(len(choices), *key)]


def number(below: int, *key: object) -> int:
    """0 … below-1, evenly spread, the same for the same key."""
    return int.from_bytes(sha256("/".join(map(str, key)).encode()).digest()[:8], "big") % below


@dataclass(frozen=True, slots=True)
class Written:
    """One name as one set writes it."""

    family: str
    given: str
    middle: str = ""


@dataclass(frozen=True, slots=True)
class PersonName:
    """The three name sets of one person, and the 通称 where the display name is one."""

    display: Written
    kana: Written
    official: Written | None = None  # as in 戸籍・住民票 where it differs from the display name
    alias: Written | None = None
    note: str = field(default="", compare=False)  # why it is here

    @property
    def on_the_register(self) -> Written:
        return self.official or self.display


def _pair(pair: str) -> tuple[str, str]:
    written, kana = pair.split(":")
    return written, kana


_FAMILIES = (
    "青空:アオゾラ 赤松:アカマツ 秋葉:アキバ 浅見:アサミ 芦田:アシダ 泉:イズミ 石倉:イシクラ 糸井:イトイ",
    "入江:イリエ 岩瀬:イワセ 上村:ウエムラ 宇野:ウノ 榎本:エノモト 海老原:エビハラ 大空:オオゾラ 岡本:オカモト",
    "奥山:オクヤマ 小野寺:オノデラ 香川:カガワ 柏木:カシワギ 片桐:カタギリ 金子:カネコ 川上:カワカミ 菊地:キクチ",
    "北野:キタノ 木下:キノシタ 草野:クサノ 工藤:クドウ 黒田:クロダ 小池:コイケ 越川:コシカワ 近藤:コンドウ",
    "西条:サイジョウ 坂上:サカガミ 桜庭:サクラバ 佐々木:ササキ 佐野:サノ 塩谷:シオヤ 品川:シナガワ 清水:シミズ",
    "白石:シライシ 杉浦:スギウラ 鈴村:スズムラ 須藤:ストウ 関根:セキネ 園田:ソノダ 高木:タカギ 滝沢:タキザワ",
    "竹内:タケウチ 立花:タチバナ 田所:タドコロ 千葉:チバ 塚田:ツカダ 土屋:ツチヤ 手塚:テヅカ 寺島:テラシマ",
    "東条:トウジョウ 戸田:トダ 富樫:トガシ 永井:ナガイ 中里:ナカザト 並木:ナミキ 成瀬:ナルセ 新倉:ニイクラ",
    "西村:ニシムラ 沼田:ヌマタ 根本:ネモト 野上:ノガミ 野々村:ノノムラ 長谷川:ハセガワ 服部:ハットリ 花房:ハナブサ",
    "早坂:ハヤサカ 原口:ハラグチ 日野:ヒノ 平井:ヒライ 福島:フクシマ 藤原:フジワラ 古川:フルカワ 堀内:ホリウチ",
    "本間:ホンマ 前田:マエダ 松浦:マツウラ 丸山:マルヤマ 三浦:ミウラ 水谷:ミズタニ 三輪:ミワ 村瀬:ムラセ",
    "望月:モチヅキ 森下:モリシタ 八木:ヤギ 安田:ヤスダ 柳田:ヤナギダ 山岸:ヤマギシ 結城:ユウキ 横溝:ヨコミゾ",
    "吉岡:ヨシオカ 若林:ワカバヤシ 和久井:ワクイ 渡瀬:ワタセ",
)
FAMILIES = tuple(_pair(pair) for line in _FAMILIES for pair in line.split())
_FEMALE = (
    "葵:アオイ 茜:アカネ 明日香:アスカ 彩花:アヤカ 杏:アン 一花:イチカ 色葉:イロハ 詩:ウタ",
    "英里:エリ 桜子:サクラコ 楓:カエデ 風花:フウカ 奏:カナデ 香澄:カスミ 心春:コハル 琴音:コトネ",
    "咲良:サクラ 沙羅:サラ 紗月:サツキ 栞:シオリ 静香:シズカ 鈴:スズ 千夏:チナツ 月乃:ツキノ",
    "紬:ツムギ 朋美:トモミ 菜々子:ナナコ 七海:ナナミ 望:ノゾミ 陽菜:ヒナ 日向子:ヒナコ 光:ヒカリ",
    "双葉:フタバ 穂乃花:ホノカ 真央:マオ 茉莉:マリ 美空:ミソラ 美月:ミヅキ 芽依:メイ 桃子:モモコ",
    "八重:ヤエ 結衣:ユイ 柚葉:ユズハ 由紀:ユキ 夢:ユメ 莉子:リコ 凜:リン 瑠璃:ルリ",
    "玲奈:レナ 和花:ノドカ",
)
_MALE = (
    "碧:アオ 暁:アキラ 旭:アサヒ 新:アラタ 樹:イツキ 歩夢:アユム 瑛太:エイタ 桜介:オウスケ",
    "海斗:カイト 奏太:ソウタ 魁:カイ 一輝:カズキ 健太:ケンタ 航:ワタル 幸之助:コウノスケ 朔:サク",
    "聡:サトシ 駿:シュン 翔太:ショウタ 慎吾:シンゴ 涼:リョウ 蒼真:ソウマ 空:ソラ 大地:ダイチ",
    "拓海:タクミ 武:タケシ 司:ツカサ 翼:ツバサ 透:トオル 直樹:ナオキ 渚:ナギサ 陽翔:ハルト",
    "遥:ハルカ 響:ヒビキ 悠真:ユウマ 文哉:フミヤ 誠:マコト 雅人:マサト 湊:ミナト 睦月:ムツキ",
    "基:モトキ 大和:ヤマト 雄大:ユウダイ 勇気:ユウキ 陸:リク 律:リツ 龍之介:リュウノスケ 蓮:レン",
    "亘:コウ 弥太郎:ヤタロウ",
)
GIVENS: dict[str, tuple[tuple[str, str], ...]] = {
    "female": tuple(_pair(pair) for line in _FEMALE for pair in line.split()),
    "male": tuple(_pair(pair) for line in _MALE for pair in line.split()),
}


def ordinary_name(sex: str, *key: object) -> PersonName:
    """An everyday name for `sex` (female, male)."""
    family, family_kana = pick(FAMILIES, "family", *key)
    given, given_kana = pick(GIVENS[sex], "given", *key)
    return PersonName(Written(family, given), Written(family_kana, given_kana))


def _ivs(character: str, selector: int) -> str:
    """A base character with the variation selector VS(17 + selector): an MJ variant of 文字情報基盤."""
    return character + chr(0xE0100 + selector)


# (sex, name): placed first in the class everybody opens first, so that every page meets them.
HARD_NAMES: tuple[tuple[str, PersonName], ...] = (
    (
        "female",
        PersonName(
            Written("辻本", "花"),
            Written("ツジモト", "ハナ"),
            Written(_ivs("辻", 0) + "本", "花"),
            note="一点しんにょうの辻 (IVS)",
        ),
    ),
    (
        "male",
        PersonName(
            Written("葛城", "祐"),
            Written("カツラギ", "ユウ"),
            Written(_ivs("葛", 0) + "城", _ivs("祐", 0)),
            note="two IVS variants in one name",
        ),
    ),
    (
        "female",
        PersonName(
            Written("渡邉", "榮子"),
            Written("ワタナベ", "エイコ"),
            Written("渡" + _ivs("邉", 1), "榮子"),
            note="one of the many 邉 (IVS)",
        ),
    ),
    (
        "male",
        PersonName(
            Written("高橋", "蓮"),
            Written("タカハシ", "レン"),
            Written("髙𣘺", "蓮"),
            note="髙 and 𣘺 are not JIS X 0213",
        ),
    ),
    (
        "female",
        PersonName(
            Written("山﨑", "真由美"), Written("ヤマサキ", "マユミ"), note="﨑 is JIS X 0213, yet fails in CP932 tools"
        ),
    ),
    (
        "male",
        PersonName(
            Written("吉田", "翔"), Written("ヨシダ", "ショウ"), Written("𠮷田", "翔"), note="𠮷 lies outside the BMP"
        ),
    ),
    ("female", PersonName(Written("東", "一"), Written("アズマ", "ハジメ"), note="one character each")),
    (
        "male",
        PersonName(Written("𡈽屋", "𠮟"), Written("ツチヤ", "シツ"), note="JIS X 0213 characters outside the BMP"),
    ),
    (
        "female",
        PersonName(
            Written(
                "ヴァンデルヴェルデ＝カスティリオーネ", "アレクサンドリーナ・マリアフェルナンダ・イザベラ・ソフィー"
            ),
            Written(
                "ヴァンデルヴェルデ＝カスティリオーネ", "アレクサンドリーナ・マリアフェルナンダ・イザベラ・ソフィー"
            ),
            Written("VANDERVELDE-CASTIGLIONE", "ALEXANDRINA MARIA FERNANDA ISABELLA SOPHIE"),
            note="forty characters and more",
        ),
    ),
    (
        "male",
        PersonName(
            Written("山川", "明"),
            Written("ヤマカワ", "アキラ"),
            Written("NGUYEN", "MINH", "VAN"),
            Written("山川", "明"),
            note="通称名 in daily use, Latin name on the register",
        ),
    ),
    (
        "female",
        PersonName(
            Written("Silva", "Maria", "Clara"),
            Written("シルヴァ", "マリア", "クララ"),
            Written("SILVA", "MARIA", "CLARA"),
            note="middle name, Latin letters",
        ),
    ),
    (
        "male",
        PersonName(
            Written("O'Brien", "Séan"),
            Written("オブライエン", "ショーン"),
            Written("O'BRIEN", "SÉAN"),
            note="apostrophe, accent",
        ),
    ),
    (
        "female",
        PersonName(
            Written("金", "志英"),
            Written("キム", "ジヨン"),
            Written("金", "志英"),
            Written("金田", "志英"),
            note="通称名 on the side",
        ),
    ),
    ("male", PersonName(Written("佐藤", "陽"), Written("サトウ", "ヨウ"), note="same name twice in a class: first")),
    (
        "female",
        PersonName(Written("佐藤", "陽"), Written("サトウ", "ヒナタ"), note="same name twice in a class: second"),
    ),
    (
        "male",
        PersonName(
            Written("小比類巻", "勘解由小路左衛門"),
            Written("コヒルイマキ", "カデノコウジサエモン"),
            note="long kanji name",
        ),
    ),
)
