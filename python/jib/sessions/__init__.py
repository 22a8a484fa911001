"""What `jib.Session` is made of, by the way of a text: `cut` into its parts, `running` it, what names mean (`state`), which definitions
no longer `fit`, and what is `saved`."""
