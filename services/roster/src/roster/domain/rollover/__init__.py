"""年度更新: how one school year becomes the next. Plain rules on plain values."""
