/* The floor of a sandbox's start: what the kernel takes for the namespaces, mounts and privileges
 * of a sandbox when nothing stands between it and the system calls.
 *
 *     sandbox PROGRAM    executes PROGRAM as pid 1 of its own seven namespaces, on a root of its own
 *
 * No cgroup, no seccomp, no Landlock, no network but a loopback that is down: it contains nobody.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS \
                    | CLONE_NEWCGROUP | CLONE_NEWNET)
#define CAPABILITIES 41

static void need(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static void map(pid_t pid, const char *table)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, table);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    need(fd, path);
    need(write(fd, "0 1000000 65536", 15), path);
    close(fd);
}

static void bind_read_only(const char *from, const char *to)
{
    need(mount(from, to, NULL, MS_BIND | MS_REC, NULL), to);
    need(mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL), to);
}

static void live(int program_fd, int born)
{
    char go;
    if (read(born, &go, 1) != 1)
        exit(1);
    need(setgroups(0, NULL), "groups");
    need(setresgid(0, 0, 0), "gid of root");
    need(setresuid(0, 0, 0), "uid of root");
    need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
    need(mount("root", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m"), "root");
    need(chdir("/tmp"), "root");
    need(mkdir("usr", 0755) | mkdir("proc", 0755) | mkdir("tmp", 01777), "folders");
    bind_read_only("/usr", "usr");
    need(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
    need(mount("tmp", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m"), "tmp");
    need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    need(umount2(".", MNT_DETACH), "old root");
    need(chdir("/"), "/");
    need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    for (int each = 0; each < CAPABILITIES; each++)
        prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
    need(setresgid(990, 990, 990), "gid");
    need(setresuid(993, 993, 993), "uid");
    /* Last, because a change of uid clears it. */
    need(prctl(PR_SET_PDEATHSIG, SIGKILL), "death with the parent");
    char *argv[] = {"program", NULL}, *environment[] = {NULL};
    fexecve(program_fd, argv, environment);
    perror("program");
    exit(1);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: sandbox PROGRAM\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int program_fd = open(arguments[1], O_RDONLY | O_CLOEXEC);
    need(program_fd, arguments[1]);
    int born[2];
    need(pipe2(born, O_CLOEXEC), "pipe");
    pid_t pid = syscall(SYS_clone, NAMESPACES | SIGCHLD, NULL, NULL, NULL, NULL);
    need(pid, "clone");
    if (pid == 0)
        live(program_fd, born[0]);
    map(pid, "uid_map");
    map(pid, "gid_map");
    need(write(born[1], "g", 1), "go");
    int status;
    need(waitpid(pid, &status, 0), "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
