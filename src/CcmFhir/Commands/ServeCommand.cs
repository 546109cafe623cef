using System.CommandLine;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir serve</c>: the server.</summary>
internal static class ServeCommand
{
    public static Command Build(TimeProvider clock)
    {
        var command = new Command("serve", "Runs the server.");
        command.SetAction(
            async (_, cancel) =>
            {
                await using var app = await Server.BuildAsync([], clock, cancel);
                await app.RunAsync(cancel);
                return 0;
            }
        );
        return command;
    }
}
