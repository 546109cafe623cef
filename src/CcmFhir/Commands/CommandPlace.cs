using System.CommandLine;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using CcmFhir.Options;

namespace CcmFhir.Commands;

/// <summary>One run of a command over a practice and the journal.</summary>
/// <param name="Parsed">What was asked.</param>
/// <param name="Place">Where it works.</param>
internal sealed record CommandRun(ParseResult Parsed, CommandPlace Place)
{
    /// <summary>Where its answer goes.</summary>
    public TextWriter Output => Parsed.InvocationConfiguration.Output;

    /// <summary>Where its complaints go.</summary>
    public TextWriter Error => Parsed.InvocationConfiguration.Error;
}

/// <summary>Where a command works: the settings, the journal, the practice and its EHR. Settings are those of the server: <c>appsettings.json</c>
/// beside the program, then the environment (<c>Ccm__Store</c>).</summary>
internal sealed class CommandPlace : IAsyncDisposable
{
    private CommandPlace(PracticeFile file, IJournalStore store, EhrSessions sessions)
    {
        (File, Store, Sessions, Streams) = (file, store, sessions, new StreamRecords(store));
    }

    /// <summary>The practice.</summary>
    public PracticeFile File { get; }

    /// <summary>Slug of the practice.</summary>
    public string Practice => File.Practice.Slug;

    /// <summary>The journal.</summary>
    public IJournalStore Store { get; }

    /// <summary>Its streams.</summary>
    public StreamRecords Streams { get; }

    /// <summary>The EHRs.</summary>
    public EhrSessions Sessions { get; }

    /// <summary>The practice's EHR.</summary>
    /// <exception cref="InvalidDataException">It has none.</exception>
    public EhrSession Ehr =>
        Sessions.Find(Practice)
        ?? throw new InvalidDataException($"Practice '{Practice}' has no EHR connection: its file has no 'ehr'.");

    /// <summary>A command over one practice and the journal: with <c>--practice</c> and <c>--store</c> beside its own symbols. What cannot be run
    /// ends with exit code 2 and a sentence.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="own">Its own arguments and options, in the order of the help.</param>
    /// <param name="run">Does it; the answer is the exit code.</param>
    public static Command Define(
        string name,
        string description,
        TimeProvider clock,
        IEnumerable<Symbol> own,
        Func<CommandRun, CancellationToken, Task<int>> run
    )
    {
        var (practice, store) = (PracticeOption(), StoreOption());
        var command = new Command(name, description);
        foreach (var symbol in own)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }
        command.Add(practice);
        command.Add(store);
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    async () =>
                    {
                        await using var place = await OpenAsync(
                            parsed.GetValue(practice),
                            parsed.GetValue(store),
                            clock,
                            cancel
                        );
                        return await run(new CommandRun(parsed, place), cancel);
                    }
                )
        );
        return command;
    }

    /// <summary>The option that names how the answer is printed: text first.</summary>
    /// <param name="more">Forms beside text and json.</param>
    public static Option<string> FormatOption(params string[] more)
    {
        var format = new Option<string>("--format")
        {
            Description = string.Join(" or ", ["text", "json", .. more]) + ".",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong(["text", "json", .. more]);
        return format;
    }

    /// <summary>The option that names the practice.</summary>
    private static Option<string?> PracticeOption() =>
        new("--practice")
        {
            Description = "A practice file, or the slug of one in the practices folder (when there are several).",
        };

    /// <summary>The option that names the journal.</summary>
    private static Option<string?> StoreOption() =>
        new("--store")
        {
            Description =
                $"The journal, such as {JournalStores.Default}; otherwise the setting {JournalStores.Setting}.",
        };

    /// <summary>The option that names the month.</summary>
    public static Option<string> MonthOption()
    {
        var month = new Option<string>("--month") { Description = "Service month, yyyy-MM.", Required = true };
        month.Validators.Add(result =>
        {
            if (!DeliveryRoom.IsMonth(result.GetValueOrDefault<string>()))
            {
                result.AddError("--month must be a month such as 2026-10.");
            }
        });
        return month;
    }

    /// <summary>Settings of the program.</summary>
    public static IConfiguration Settings() =>
        new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("appsettings.json", optional: true)
            .AddEnvironmentVariables()
            .Build();

    /// <summary>Opens the place.</summary>
    /// <param name="practice">Practice file or slug; null for the only one.</param>
    /// <param name="journal">The journal; null for the one that the settings name.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InvalidDataException">There is no such practice, or its file cannot be understood.</exception>
    private static async Task<CommandPlace> OpenAsync(
        string? practice,
        string? journal,
        TimeProvider clock,
        CancellationToken cancel
    )
    {
        var settings = Settings();
        var practices =
            practice is not null && System.IO.File.Exists(practice)
                ? new Practices([PracticeFile.Read(practice)])
                : Practices.Read(settings[Practices.Setting] ?? Practices.Default);
        var all = practices.All.Select(file => file.Practice.Slug).ToList();
        var slug =
            practice is not null && practices.Find(practice) is not null ? practice
            : all.Count == 1 && (practice is null || System.IO.File.Exists(practice)) ? all[0]
            : throw new InvalidDataException(
                practice is null
                    ? $"Say --practice; there are: {(all.Count == 0 ? "none" : string.Join(", ", all))}."
                    : $"There is no practice '{practice}'; there are: {(all.Count == 0 ? "none" : string.Join(", ", all))}."
            );
        var store = await JournalStores.OpenAsync(journal ?? settings[JournalStores.Setting], clock, cancel);
        var keys = new EhrKeys(settings[DeliveryRoom.KeysSetting] ?? DeliveryRoom.DefaultKeys);
        return new CommandPlace(practices.Find(slug)!, store, new EhrSessions(practices, keys, clock));
    }

    /// <summary>Runs a command; what keeps it from running becomes a sentence and exit code 2.</summary>
    public static async Task<int> RunAsync(ParseResult parsed, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception fault)
            when (fault
                    is InvalidDataException
                        or ArgumentException
                        or IOException
                        or JournalUnavailableException
                        or JournalUnreadableException
            )
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(fault.Message);
            return 2;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Sessions.Dispose();
        await Store.DisposeAsync();
    }
}
