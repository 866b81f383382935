# Completions of shipit for fish: `shipit completions fish | source`.

function __shipit_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set --erase words[1]
    for line in (command shipit complete -- $words "$current" 2>/dev/null)
        switch $line
            case :files :folders
                # Behind `--from=` only the path is completed.
                set -l before (string match --regex '^--[^=]*=' -- $current)
                set -l path (string replace --regex '^--[^=]*=' '' -- $current)
                if test $line = :folders
                    printf '%s\n' "$before"(__fish_complete_directories "$path")
                else
                    printf '%s\n' "$before"(__fish_complete_path "$path")
                end
            case '*'
                printf '%s\n' $line
        end
    end
end

complete --command shipit --no-files --keep-order --arguments '(__shipit_complete)'
