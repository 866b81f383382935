#compdef shipit
# Completions of shipit for zsh: a file `_shipit` in a folder of $fpath, or `source <(shipit completions zsh)`.

_shipit() {
    local line value about paths='' curcontext="$curcontext"
    local -a typed plain open

    typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
    for line in "${(@f)$(command shipit complete -- "${typed[@]}" 2>/dev/null)}"; do
        value=${line%%$'\t'*}
        about=${${line#"$value"}#$'\t'}
        case $value in
            '') ;;
            :files | :folders) paths=$value ;;
            # `_describe` takes a colon as the end of the word.
            *=) open+=("${value//:/\\:}${about:+:$about}") ;;
            *) plain+=("${value//:/\\:}${about:+:$about}") ;;
        esac
    done

    if [[ -n $paths ]]; then
        # Behind `--from=` only the path is completed.
        compset -P '--[^=]#='
        if [[ $paths == :folders ]]; then
            _path_files -/
        else
            _files
        fi
        return
    fi
    _describe -V 'shipit' plain -- open -S ''
}

if [[ ${funcstack[1]} == _shipit ]]; then
    _shipit "$@"
else
    compdef _shipit shipit
fi
