"""学習データ beside the record: what learning tools tell (xAPI), how they are opened (LTI), MEXCBT."""
