"""Pure rules about e-mail addresses, phones, postal addresses and documents; no I/O."""
