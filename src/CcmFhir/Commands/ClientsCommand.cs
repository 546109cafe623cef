using System.CommandLine;
using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Journal;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir clients</c>: who may ask a practice's token endpoint for tokens (SMART Backend Services).</summary>
internal static class ClientsCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Builds the command with what stands below it. Exit code 0 done, 1 refused, 2 could not run.</summary>
    public static Command Build(TimeProvider clock) =>
        new("clients", "Clients of a practice: EHRs and apps that get tokens by their key.")
        {
            Register(clock),
            List(clock),
            Remove(clock),
        };

    private static Command Register(TimeProvider clock)
    {
        var place = new Place();
        var id = new Option<string>("--id") { Description = "client id", Required = true };
        var name = new Option<string?>("--name") { Description = "what people call it; the id when not given" };
        var scope = new Option<string>("--scope")
        {
            Description = "scopes it may be granted at most, such as \"system/*.cruds\"",
            Required = true,
        };
        var address = new Option<string?>("--jwks-url")
        {
            Description = "https address of its public keys; preferred, because keys then rotate without us",
        };
        var file = new Option<FileInfo?>("--jwks") { Description = "file with its public keys (a JSON Web Key Set)" };
        var command = new Command("register", "Registers a client, or registers it anew.")
        {
            place.Store,
            place.Practices,
            place.Practice,
            id,
            name,
            scope,
            address,
            file,
        };
        command.SetAction(
            (parsed, cancel) =>
                place.RunAsync(
                    parsed,
                    clock,
                    async (clients, practice, output) =>
                    {
                        var client = new RegisteredClient(
                            parsed.GetRequiredValue(id),
                            parsed.GetValue(name) ?? parsed.GetRequiredValue(id),
                            parsed.GetRequiredValue(scope),
                            parsed.GetValue(address) is not { } url ? null
                                : Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri
                                : throw new InvalidDataException($"--jwks-url: '{url}' is no address."),
                            parsed.GetValue(file) is { } keys ? await ReadAsync(keys, cancel) : null
                        );
                        var fault = await clients.RegisterAsync(practice, client, cancel);
                        await output.WriteLineAsync(
                            fault ?? $"{client.ClientId} may get tokens of {practice} for {client.Scopes}."
                        );
                        return fault is null ? 0 : 1;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command List(TimeProvider clock)
    {
        var place = new Place();
        var format = new Option<string>("--format") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("list", "The clients of a practice, removed ones too.")
        {
            place.Store,
            place.Practices,
            place.Practice,
            format,
        };
        command.SetAction(
            (parsed, cancel) =>
                place.RunAsync(
                    parsed,
                    clock,
                    async (clients, practice, output) =>
                    {
                        var all = await clients.ListAsync(practice, cancel);
                        if (parsed.GetValue(format) == "json")
                        {
                            await output.WriteLineAsync(JsonSerializer.Serialize(all, Indented));
                            return 0;
                        }
                        foreach (var client in all)
                        {
                            await output.WriteLineAsync(
                                $"{client.ClientId}  {client.Scopes}  {client.JwksUri?.OriginalString ?? "keys inline"}  {client.Name}{(client.Disabled ? "  removed" : "")}"
                            );
                        }
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Remove(TimeProvider clock)
    {
        var place = new Place();
        var id = new Option<string>("--id") { Description = "client id", Required = true };
        var command = new Command("remove", "Gives a client no tokens any more. Those it has end within five minutes.")
        {
            place.Store,
            place.Practices,
            place.Practice,
            id,
        };
        command.SetAction(
            (parsed, cancel) =>
                place.RunAsync(
                    parsed,
                    clock,
                    async (clients, practice, output) =>
                    {
                        var asked = parsed.GetRequiredValue(id);
                        if (await clients.FindAsync(practice, asked, cancel) is not { } client)
                        {
                            await output.WriteLineAsync($"{practice} has no client '{asked}'.");
                            return 1;
                        }
                        await clients.RegisterAsync(practice, client with { Disabled = true }, cancel);
                        await output.WriteLineAsync($"{asked} gets no tokens any more.");
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static async Task<JsonElement> ReadAsync(FileInfo file, CancellationToken cancel)
    {
        try
        {
            await using var stream = file.OpenRead();
            using var json = await JsonDocument.ParseAsync(stream, cancellationToken: cancel);
            return json.RootElement.Clone();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidDataException($"--jwks: '{file.FullName}' cannot be read as JSON: {fault.Message}", fault);
        }
    }

    /// <summary>Store and practice that a command works on.</summary>
    private sealed class Place
    {
        public Option<string> Store { get; } = StoreOptions.Store();

        public Option<string> Practices { get; } = StoreOptions.Practices();

        public Option<string> Practice { get; } =
            new("--practice") { Description = "slug of the practice", Required = true };

        public Task<int> RunAsync(
            ParseResult parsed,
            TimeProvider clock,
            Func<ClientRegistry, string, TextWriter, Task<int>> run,
            CancellationToken cancel
        ) =>
            StoreOptions.RunAsync(
                parsed,
                async () =>
                {
                    var slug = parsed.GetRequiredValue(Practice);
                    var practices = Options.Practices.Read(parsed.GetRequiredValue(Practices));
                    if (practices.Find(slug) is null)
                    {
                        throw new InvalidDataException(
                            $"There is no practice '{slug}'; there are: {(practices.All.Count == 0 ? "none" : string.Join(", ", practices.All.Select(file => file.Practice.Slug)))}."
                        );
                    }
                    await using var journal = await JournalStores.OpenAsync(parsed.GetValue(Store), clock, cancel);
                    return await run(new ClientRegistry(journal), slug, parsed.InvocationConfiguration.Output);
                }
            );
    }
}
