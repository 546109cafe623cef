using System.CommandLine;
using System.Text.Json;
using CcmFhir.Access;

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
        var id = IdOption();
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
        return CommandPlace.Define(
            "register",
            "Registers a client, or registers it anew.",
            clock,
            [id, name, scope, address, file],
            async (run, cancel) =>
            {
                var client = new RegisteredClient(
                    run.Parsed.GetRequiredValue(id),
                    run.Parsed.GetValue(name) ?? run.Parsed.GetRequiredValue(id),
                    run.Parsed.GetRequiredValue(scope),
                    run.Parsed.GetValue(address) is { } url ? Address(url) : null,
                    run.Parsed.GetValue(file) is { } keys ? await ReadAsync(keys, cancel) : null
                );
                var fault = await Registry(run).RegisterAsync(run.Place.Practice, client, cancel);
                await run.Output.WriteLineAsync(
                    fault ?? $"{client.ClientId} may get tokens of {run.Place.Practice} for {client.Scopes}."
                );
                return fault is null ? 0 : 1;
            }
        );
    }

    private static Command List(TimeProvider clock)
    {
        var format = CommandPlace.FormatOption();
        return CommandPlace.Define(
            "list",
            "The clients of a practice, removed ones too.",
            clock,
            [format],
            async (run, cancel) =>
            {
                var all = await Registry(run).ListAsync(run.Place.Practice, cancel);
                if (run.Parsed.GetValue(format) == "json")
                {
                    await run.Output.WriteLineAsync(JsonSerializer.Serialize(all, Indented));
                    return 0;
                }
                foreach (var client in all)
                {
                    await run.Output.WriteLineAsync(
                        $"{client.ClientId}  {client.Scopes}  {client.JwksUri?.OriginalString ?? "keys inline"}  {client.Name}{(client.Disabled ? "  removed" : "")}"
                    );
                }
                return 0;
            }
        );
    }

    private static Command Remove(TimeProvider clock)
    {
        var id = IdOption();
        return CommandPlace.Define(
            "remove",
            "Gives a client no tokens any more. Those it has end within five minutes.",
            clock,
            [id],
            async (run, cancel) =>
            {
                var asked = run.Parsed.GetRequiredValue(id);
                if (await Registry(run).FindAsync(run.Place.Practice, asked, cancel) is not { } client)
                {
                    await run.Output.WriteLineAsync($"{run.Place.Practice} has no client '{asked}'.");
                    return 1;
                }
                await Registry(run).RegisterAsync(run.Place.Practice, client with { Disabled = true }, cancel);
                await run.Output.WriteLineAsync($"{asked} gets no tokens any more.");
                return 0;
            }
        );
    }

    private static Option<string> IdOption() => new("--id") { Description = "client id", Required = true };

    private static ClientRegistry Registry(CommandRun run) => new(run.Place.Store);

    private static Uri Address(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
            ? uri
            : throw new InvalidDataException($"--jwks-url: '{url}' is no address.");

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
}
