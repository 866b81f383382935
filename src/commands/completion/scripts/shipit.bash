# Completions of shipit for bash: `source <(shipit completions bash)`.
# shellcheck shell=bash

_shipit() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() word current before value about
    local candidates=() abouts=() paths='' widest=0 i

    # Bash ends words at `=` and `:`; for the program a word ends at a blank.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $i -eq 0 || $rest == [[:blank:]]* ]]; then
            rest=${rest#"${rest%%[![:blank:]]*}"}
            words+=('')
        fi
        # The word at the cursor counts up to there.
        ((i < COMP_CWORD)) || word=$rest
        rest=${rest#"$word"}
        words[${#words[@]} - 1]+=$word
    done
    for i in "${!words[@]}"; do words[i]=${words[i]//[\"\'\\]/}; done
    current=${words[${#words[@]} - 1]}

    while IFS=$'\t' read -r value about; do
        case $value in
            :files | :folders) paths=$value ;;
            *)
                candidates+=("$value") abouts+=("$about")
                ((${#value} <= widest)) || widest=${#value}
                ;;
        esac
    done < <(command shipit complete -- "${words[@]:1}" 2>/dev/null)

    COMPREPLY=()
    # Readline replaces only what comes behind the last of these.
    before=${current%"${current##*[=:]}"}
    [[ $COMP_WORDBREAKS == *=* ]] || before=''
    if [[ $paths ]]; then
        compopt -o filenames 2>/dev/null
        local kind=-f
        [[ $paths == :files ]] || kind=-d
        while IFS= read -r value; do
            COMPREPLY+=("$value")
        done < <(compgen "$kind" -- "${current#"$before"}")
        return
    fi
    for i in "${!candidates[@]}"; do
        value=${candidates[i]#"$before"}
        # In a list there is room for more; with menu-complete (37) the text would be inserted.
        if [[ ${abouts[i]} && ${#candidates[@]} -gt 1 && ${COMP_TYPE:-9} != 37 ]]; then
            printf -v value '%-*s  (%s)' "$((widest - ${#before}))" "$value" "${abouts[i]}"
            value=${value:0:${COLUMNS:-80}-2}
        fi
        COMPREPLY+=("$value")
    done
    if [[ ${#candidates[@]} -eq 1 && ${candidates[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

# Bash 3 has no `nosort`.
complete -o nosort -F _shipit shipit 2>/dev/null || complete -F _shipit shipit
