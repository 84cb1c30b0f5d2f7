"""What the states, steps and papers of a child on its way between municipalities are called."""

TRANSFER_STATES = {
    "drafted": ("校長の承認待ち", "warn"),
    "approved": ("承認済み", "plain"),
    "sealed": ("送信待ち", "plain"),
    "sent": ("送信済み", "plain"),
    "received": ("相手が受信", "plain"),
    "accepted": ("相手が受入れ", "good"),
    "closed": ("完了", "good"),
    "refused": ("受け取られませんでした", "bad"),
    "withdrawn": ("取下げ", "plain"),
    "expired": ("送信できませんでした", "bad"),
}
ARRIVAL_STATES = {
    "received": ("受信", "plain"),
    "verified": ("照合待ち", "warn"),
    "matched": ("受入れ待ち", "warn"),
    "accepted": ("受入れ済み", "good"),
    "refused": ("受け取らない", "bad"),
    "withdrawn": ("相手が取下げ", "plain"),
}
NOTICE_STATES = {
    "sent": ("送信中", "plain"),
    "received": ("相手に届きました", "plain"),
    "answered": ("書類が届きました", "good"),
    "refused": ("受け取られませんでした", "bad"),
    "expired": ("送信できませんでした", "bad"),
}
STEPS = {
    "drafted": "起案",
    "approved": "校長が承認",
    "sealed": "署名・封緘",
    "sent": "送信",
    "received": "相手が受信",
    "accepted": "相手が受入れ",
    "closed": "転学を処理",
    "refused": "受取拒否",
    "withdrawn": "取下げ",
    "expired": "送信を断念",
}
ARRIVAL_STEPS = {
    "received": "受信",
    "verified": "署名と内容を確認",
    "matched": "照合",
    "accepted": "受入れ",
    "refused": "受取拒否",
    "withdrawn": "相手が取下げ",
}
OURS = "この教育委員会"
RECEIPTS = {
    "received": "受信",
    "accepted": "受入れ",
    "refused": "受取拒否",
    "withdrawn": "取下げ",
    "superseded": "差替え",
}
CUSTODY = {"copy": "写し", "extract": "抄本", "original": "原本"}
SEX = {1: "男", 2: "女", 3: "その他"}
GRADES = [
    ("", "選んでください"),
    *((f"P{n}", f"小学{n}年") for n in range(1, 7)),
    *((f"J{n}", f"中学{n}年") for n in range(1, 4)),
]
