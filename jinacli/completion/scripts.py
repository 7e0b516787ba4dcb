"""What a shell has to load: on TAB it runs `jina` with the line so far, and shows the answer.

The first line of the answer is `files` or `words`; each of the others is a value, and for zsh and
fish, after a tab, what it means.
"""

from __future__ import annotations

VARIABLE = "_JINA_COMPLETE"
"""Set by the scripts to the name of their shell: then `jina` answers instead of running."""

WORD_BREAKS = "_JINA_WORDBREAKS"
"""Set by bash: characters at which it cuts words; it replaces only what follows the last one."""

_BASH = """\
# Completion of jina for bash, written by `jina completion install`.
_jina_completion() {
    local kind= word
    COMPREPLY=()
    while IFS= read -r word; do
        if [[ -z $kind ]]; then kind=$word; else COMPREPLY+=("$word"); fi
    done < <(_JINA_COMPLETE=bash _JINA_WORDBREAKS=$COMP_WORDBREAKS \\
        "$1" "${COMP_LINE:0:$COMP_POINT}" 2>/dev/null)
    if [[ $kind == files ]]; then
        compopt -o filenames 2>/dev/null
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _jina_completion jina
"""

_ZSH = """\
# Completion of jina for zsh, written by `jina completion install`.
_jina_completion() {
    local kind= word
    local -a values shown
    while IFS= read -r word; do
        if [[ -z $kind ]]; then kind=$word; continue; fi
        values+=("${word%%$'\\t'*}")
        shown+=("${word/$'\\t'/  -- }")
    done < <(_JINA_COMPLETE=zsh "$words[1]" "${(j: :)words[1,CURRENT]}" 2>/dev/null)
    (( $#values )) || return 1
    if [[ $#values -eq 1 && $values[1] == *[/=] ]]; then
        compadd -S '' -- "$values[@]"
    elif [[ $kind == files ]]; then
        compadd -f -- "$values[@]"
    else
        compadd -l -d shown -- "$values[@]"
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _jina_completion jina
"""

_FISH = """\
# Completion of jina for fish, written by `jina completion install`.
function __jina_completion
    set -lx _JINA_COMPLETE fish
    set -l program (commandline -opc)[1]
    command $program (commandline -cp | string collect) 2>/dev/null | tail -n +2
end
complete --command jina --no-files --arguments '(__jina_completion)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""By the names of the shells."""
