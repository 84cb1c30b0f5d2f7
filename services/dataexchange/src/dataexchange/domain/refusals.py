"""Why a package, a request, a directory or a receipt is refused: one stable code each, with words for people.

The code is what machines compare (problem `type`, receipt `code`, finding `code`); it never changes its meaning.
"""

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """Every reason the exchange can refuse for."""

    # structure of the sealed file and the archive
    SEALED_MALFORMED = "sealed_malformed"
    ALGORITHM_NOT_ALLOWED = "algorithm_not_allowed"
    HEADER_NOT_ALLOWED = "header_not_allowed"
    TYPE_WRONG = "type_wrong"
    TOO_LARGE = "too_large"
    ARCHIVE_MALFORMED = "archive_malformed"
    ARCHIVE_ENTRY_FORBIDDEN = "archive_entry_forbidden"
    RATIO_TOO_HIGH = "ratio_too_high"
    TOO_MANY_PARTS = "too_many_parts"
    # keys and trust
    KEY_UNKNOWN = "key_unknown"
    KEY_NOT_YET_VALID = "key_not_yet_valid"
    KEY_EXPIRED = "key_expired"
    KEY_REVOKED = "key_revoked"
    KEY_WRONG_USE = "key_wrong_use"
    ORGANISATION_UNKNOWN = "organisation_unknown"
    ORGANISATION_SUSPENDED = "organisation_suspended"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNED_IN_FUTURE = "signed_in_future"
    CANNOT_OPEN = "cannot_open"
    WRONG_RECEIVER = "wrong_receiver"
    # manifest and parts
    MANIFEST_MISSING = "manifest_missing"
    MANIFEST_INVALID = "manifest_invalid"
    SENDER_MISMATCH = "sender_mismatch"
    PACKAGE_EXPIRED = "package_expired"
    PART_MISSING = "part_missing"
    PART_UNLISTED = "part_unlisted"
    PART_DAMAGED = "part_damaged"
    RECORD_INVALID = "record_invalid"
    VERSION_UNSUPPORTED = "version_unsupported"
    # transport
    REQUEST_UNSIGNED = "request_unsigned"
    REQUEST_SIGNATURE_INVALID = "request_signature_invalid"
    REQUEST_TOO_OLD = "request_too_old"
    REQUEST_REPLAYED = "request_replayed"
    DIGEST_MISMATCH = "digest_mismatch"
    IDEMPOTENCY_KEY_MISMATCH = "idempotency_key_mismatch"
    PACKAGE_ID_REUSED = "package_id_reused"
    PACKAGE_UNKNOWN = "package_unknown"
    NOTICE_INVALID = "notice_invalid"
    NOTICE_ID_REUSED = "notice_id_reused"
    # directory
    DIRECTORY_MALFORMED = "directory_malformed"
    DIRECTORY_UNTRUSTED = "directory_untrusted"
    DIRECTORY_EXPIRED = "directory_expired"
    DIRECTORY_OLDER = "directory_older"
    DIRECTORY_CHAIN_BROKEN = "directory_chain_broken"
    # receipts
    RECEIPT_INVALID = "receipt_invalid"
    RECEIPT_CHAIN_BROKEN = "receipt_chain_broken"
    RECEIPT_OTHER_PACKAGE = "receipt_other_package"
    # decided by people
    NOT_OUR_PUPIL = "not_our_pupil"
    DECLINED = "declined"


class Words(NamedTuple):
    """What a code says to a person, and the HTTP status it travels with."""

    japanese: str
    english: str
    status: int = 422


WORDS: dict[Code, Words] = {
    Code.SEALED_MALFORMED: Words(
        "封緘された文書の形式が正しくありません。", "The sealed file is not a well-formed JWE.", 400
    ),
    Code.ALGORITHM_NOT_ALLOWED: Words(
        "許可されていない暗号方式が使われています。", "An algorithm outside the allow-list is used."
    ),
    Code.HEADER_NOT_ALLOWED: Words(
        "署名・封緘のヘッダーに許可されていない項目があります。", "A header parameter that is not allowed is present."
    ),
    Code.TYPE_WRONG: Words("文書の種別(typ)が違います。", "The typ of the signed or sealed object is wrong."),
    Code.TOO_LARGE: Words("上限(64 MiB)を超えています。", "The limit of 64 MiB is exceeded.", 413),
    Code.ARCHIVE_MALFORMED: Words(
        "ZIPの構造が壊れているか、規定の形ではありません。", "The ZIP is damaged or not canonical."
    ),
    Code.ARCHIVE_ENTRY_FORBIDDEN: Words(
        "ZIPに許可されていない名前・種類の項目があります。", "The ZIP holds an entry of a forbidden name or kind."
    ),
    Code.RATIO_TOO_HIGH: Words("ZIPの圧縮率が上限(100倍)を超えています。", "The compression ratio exceeds 100."),
    Code.TOO_MANY_PARTS: Words("ZIPの項目数が上限(500)を超えています。", "The ZIP holds more than 500 parts."),
    Code.KEY_UNKNOWN: Words("名簿(トラストディレクトリ)にない鍵です。", "The key is not in the trust directory."),
    Code.KEY_NOT_YET_VALID: Words("鍵の有効期間がまだ始まっていません。", "The key is not valid yet."),
    Code.KEY_EXPIRED: Words("鍵の有効期間が過ぎています。", "The key has expired."),
    Code.KEY_REVOKED: Words("失効した鍵が使われています。", "The key has been revoked."),
    Code.KEY_WRONG_USE: Words("鍵の用途が違います。", "The key is meant for another use."),
    Code.ORGANISATION_UNKNOWN: Words("名簿にない組織です。", "The organisation is not in the trust directory."),
    Code.ORGANISATION_SUSPENDED: Words("名簿で停止中の組織です。", "The organisation is suspended in the directory."),
    Code.SIGNATURE_INVALID: Words("署名が一致しません。作成後に変更されています。", "The signature does not match."),
    Code.SIGNED_IN_FUTURE: Words("署名の日時が未来です。", "The signature is dated in the future."),
    Code.CANNOT_OPEN: Words(
        "開封できません。途中で変更されたか、別の鍵で封緘されています。", "The file cannot be opened."
    ),
    Code.WRONG_RECEIVER: Words("宛先がこの組織ではありません。", "The package is addressed to another organisation."),
    Code.MANIFEST_MISSING: Words("目録(manifest)がありません。", "The manifest or its signature is missing."),
    Code.MANIFEST_INVALID: Words(
        "目録(manifest)の内容が規定に合いません。", "The manifest does not follow the format."
    ),
    Code.SENDER_MISMATCH: Words("送信元と署名者が一致しません。", "The sender is not the organisation that signed."),
    Code.PACKAGE_EXPIRED: Words("パッケージの有効期限が過ぎています。", "The package has expired."),
    Code.PART_MISSING: Words("目録にある文書がありません。", "A part listed in the manifest is missing."),
    Code.PART_UNLISTED: Words("目録にない文書が含まれています。", "A part that the manifest does not list is present."),
    Code.PART_DAMAGED: Words("文書の内容が目録と一致しません。", "A part does not match the manifest's hash or size."),
    Code.RECORD_INVALID: Words("記録データが様式に合いません。", "A record does not follow its schema."),
    Code.VERSION_UNSUPPORTED: Words("対応していない仕様の版です。", "The version of the format is not supported."),
    Code.REQUEST_UNSIGNED: Words("要求に組織の署名がありません。", "The request is not signed.", 401),
    Code.REQUEST_SIGNATURE_INVALID: Words("要求の署名が正しくありません。", "The request's signature is invalid.", 401),
    Code.REQUEST_TOO_OLD: Words(
        "要求の時刻が許容範囲(5分)の外です。", "The request is outside the 5-minute window.", 401
    ),
    Code.REQUEST_REPLAYED: Words("同じ要求が既に届いています(再送攻撃の疑い)。", "The request was seen before.", 401),
    Code.DIGEST_MISMATCH: Words("本文とContent-Digestが一致しません。", "Content-Digest does not match the body.", 400),
    Code.IDEMPOTENCY_KEY_MISMATCH: Words(
        "Idempotency-Keyとパッケージの番号が一致しません。", "Idempotency-Key is not the package's id."
    ),
    Code.PACKAGE_ID_REUSED: Words(
        "同じ番号で内容の異なるパッケージが既に届いています。",
        "Another content was received under this package id.",
        409,
    ),
    Code.PACKAGE_UNKNOWN: Words("そのパッケージはありません。", "There is no such package.", 404),
    Code.DIRECTORY_MALFORMED: Words("名簿の形式が正しくありません。", "The directory is malformed."),
    Code.DIRECTORY_UNTRUSTED: Words(
        "名簿の署名が、登録済みの運営者の鍵のものではありません。",
        "The directory is not signed by the pinned operator.",
    ),
    Code.DIRECTORY_EXPIRED: Words(
        "名簿の有効期限(猶予7日)が過ぎています。", "The directory expired more than 7 days ago.", 503
    ),
    Code.DIRECTORY_OLDER: Words("手元より古い番号の名簿です。", "The directory's sequence is lower than the one held."),
    Code.DIRECTORY_CHAIN_BROKEN: Words("名簿の前の版とのつながりが切れています。", "The directory's chain is broken."),
    Code.RECEIPT_INVALID: Words("受領書の内容または署名が正しくありません。", "The receipt is invalid."),
    Code.RECEIPT_CHAIN_BROKEN: Words("受領書のつながりが切れています。", "The chain of receipts is broken."),
    Code.RECEIPT_OTHER_PACKAGE: Words("別のパッケージの受領書です。", "The receipt belongs to another package."),
    Code.NOTICE_INVALID: Words("転入の予定の内容が規定に合いません。", "The notice does not follow the format."),
    Code.NOTICE_ID_REUSED: Words(
        "同じ番号で内容の違う照会が既に届いています。", "Another notice under this id is here already.", 409
    ),
    Code.NOT_OUR_PUPIL: Words("受け入れる児童生徒ではありません。", "The pupil is not expected here."),
    Code.DECLINED: Words("受入側の判断で受け取りませんでした。", "The receiver declined the package."),
}


class Refusal(Exception):
    """One fact that makes the thing unacceptable. `detail` names places (a path, a key id), never a person."""

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def status(self) -> int:
        """HTTP status of the problem details (RFC 9457)."""
        return WORDS[self.code].status

    def say(self, language: str = "ja") -> str:
        """The sentence for people, in `ja` or `en`, with the detail behind it."""
        words = WORDS[self.code]
        sentence = words.english if language == "en" else words.japanese
        return f"{sentence}({self.detail})" if self.detail else sentence

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else str(self.code)
